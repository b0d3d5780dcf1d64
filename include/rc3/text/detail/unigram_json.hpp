#pragma once
/// SentencePiece model of a tokenizer.json with XLM-R's ids, for directories without the model itself. LibTorch-free.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/base64.hpp"
#include "rc3/io/json.hpp"
#include "rc3/text/detail/proto.hpp"
#include "rc3/text/detail/tokenizer_config.hpp"

namespace rc3::text::detail {

/// Reader of a tokenizer.json of the tokenizers library: a Unigram model with <s> 0, <pad> 1, </s> 2, <unk> 3, and
/// <mask> last. Blanks at the end of a text are no tokens, as in SentencePiece.
class UnigramJson {
 public:
  /// @throws rc3::Error if the file holds anything that would give other ids
  explicit UnigramJson(const std::filesystem::path& file)
      : where_(file.string()), json_(io::read_json(file, {.max_bytes = max_tokenizer_bytes})) {
    const auto& model = part("model");
    const auto type = io::get<std::string>(model, "type", where_);
    require(type == "Unigram", where_, ": a ", type, " model, not a Unigram model with the ids of XLM-R; ",
            type == "BPE" ? "text::ClipTokenizer and text::SiglipTokenizer read those of CLIP and SigLIP 2"
                          : "use a model with the tokenizer of XLM-R, for example multilingual-e5");
    require(!io::get_or(model, "byte_fallback", where_, false), where_,
            ": byte_fallback is not read from a tokenizer.json; put the sentencepiece.bpe.model beside it");
    require(model.contains("vocab") && model.at("vocab").is_array(), where_, ": \"vocab\" must be an array");
    check_pre_tokenizer(part("pre_tokenizer"));
    check_sequence();
    read_normalizer(part("normalizer"));
    check_added(model.at("vocab"));
  }

  /// The same model as a serialized ModelProto, with SentencePiece's <unk> 0, <s> 1, </s> 2.
  std::string sentencepiece() const {
    constexpr std::uint64_t normal = 1, unknown = 2, control = 3, unigram = 1;
    ProtoWriter all;
    const auto piece = [&](const std::string& name, float score, std::uint64_t kind) {
      ProtoWriter one;
      one.text(1, name);
      one.real(2, score);
      one.number(3, kind);
      all.text(1, one.bytes());
    };
    piece("<unk>", 0, unknown);
    piece("<s>", 0, control);
    piece("</s>", 0, control);
    const auto& vocab = json_.at("model").at("vocab");
    for (std::size_t i = 4; i < pieces_; ++i) {
      const auto [name, score] = entry(vocab, i);
      piece(name, score, normal);
    }
    ProtoWriter trainer;
    trainer.number(3, unigram);
    ProtoWriter normalizer;
    normalizer.text(1, "tokenizer.json");
    normalizer.text(2, charsmap_);
    for (const std::uint64_t flag : {3U, 4U, 5U}) normalizer.number(flag, 1);  // blank before, no others, as "▁"
    all.text(2, trainer.bytes());
    all.text(3, normalizer.bytes());
    return all.bytes();
  }

 private:
  using Json = nlohmann::json;

  const Json& part(const char* key) const {
    require(json_.is_object() && json_.contains(key), where_, ": the key \"", key, "\" is missing");
    return json_.at(key);
  }

  std::pair<std::string, float> entry(const Json& vocab, std::size_t i) const {
    const auto& pair = vocab[i];
    require(pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_number() &&
                std::isfinite(pair[1].get<float>()),
            where_, ": vocab[", i, "] must be a piece and its score, is ", io::short_text(pair));
    return {pair[0].get<std::string>(), pair[1].get<float>()};
  }

  /// Steps of a normalizer or pre-tokenizer: those of a Sequence, or the one.
  std::vector<Json> steps(const Json& json, const char* key) const {
    if (json.is_null()) return {};
    if (io::get<std::string>(json, "type", where_) != "Sequence") return {json};
    require(json.contains(key) && json.at(key).is_array(), where_, ": \"", key, "\" must be an array");
    return json.at(key).get<std::vector<Json>>();
  }

  void read_normalizer(const Json& json) {
    const Json blanks{{"Regex", " {2,}"}};
    for (const auto& step : steps(json, "normalizers")) {
      const auto type = io::get<std::string>(step, "type", where_);
      if (type == "Precompiled" && charsmap_.empty()) {
        charsmap_ = io::decode_base64(io::get<std::string>(step, "precompiled_charsmap", where_), max_tokenizer_bytes,
                                      where_ + ": precompiled_charsmap");
        continue;
      }
      const bool same = type == "Strip" || (type == "Replace" && step.contains("pattern") && step["pattern"] == blanks);
      require(same, where_, ": the normalizer ", io::short_text(step), " is not read; put the sentencepiece.bpe.model",
              " beside it");
    }
  }

  void check_pre_tokenizer(const Json& json) const {
    bool blank = false;
    for (const auto& step : steps(json, "pretokenizers")) {
      const auto type = io::get<std::string>(step, "type", where_);
      if (type == "WhitespaceSplit") continue;
      require(type == "Metaspace" && io::get_or<std::string>(step, "replacement", where_, "▁") == "▁" &&
                  io::get_or<std::string>(step, "prepend_scheme", where_, "always") != "never" &&
                  io::get_or(step, "add_prefix_space", where_, true),
              where_, ": the pre-tokenizer ", io::short_text(step),
              " is not read; Metaspace with \"▁\" before a text is");
      blank = true;
    }
    require(blank, where_, ": the pre-tokenizer must be Metaspace, is ", io::short_text(json));
  }

  /// <s> text </s>.
  void check_sequence() const {
    const auto& json = part("post_processor");
    require(!json.is_null(), where_, ": without a post_processor; <s> text </s> is expected");
    if (io::get<std::string>(json, "type", where_) == "RobertaProcessing") return;
    std::string all;
    if (json.contains("single") && json.at("single").is_array())
      for (const auto& step : json.at("single"))
        for (const auto& [kind, value] : step.items()) all += io::get<std::string>(value, "id", where_) + ' ';
    require(all == "<s> A </s> ", where_, ": the post_processor gives \"", all, "\", not \"<s> A </s> \"");
  }

  void check_added(const Json& vocab) {
    constexpr const char* first[]{"<s>", "<pad>", "</s>", "<unk>"};
    require(vocab.size() >= 5, where_, ": a vocabulary of ", vocab.size(), " pieces");
    for (std::size_t i = 0; i < 4; ++i)
      require(entry(vocab, i).first == first[i], where_, ": vocab[", i, "] is ", io::short_text(vocab[i]), ", not \"",
              first[i], "\": other ids than those of XLM-R");
    pieces_ = vocab.size() - (entry(vocab, vocab.size() - 1).first == "<mask>" ? 1 : 0);
    const auto& added = part("added_tokens");
    require(added.is_array(), where_, ": \"added_tokens\" must be an array");
    for (const auto& token : added) {
      const auto name = io::get<std::string>(token, "content", where_);
      const auto id = io::get<std::uint64_t>(token, "id", where_);
      const bool known = name == "<mask>" ? id == pieces_ : id < 4 && name == first[id];
      require(known, where_, ": added token \"", name, "\" with id ", id,
              "; <s> 0, <pad> 1, </s> 2, <unk> 3 and <mask> ", pieces_, " are read");
    }
  }

  std::string where_;
  Json json_;
  std::string charsmap_;
  std::size_t pieces_ = 0;  ///< without <mask>
};

}  // namespace rc3::text::detail
