#pragma once
/// Tokenizers of SigLIP (SentencePiece) and SigLIP 2 (Gemma's byte-pair encoding). LibTorch-free.

#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/metric/unicode/lower.hpp"
#include "rc3/metric/unicode/text.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/detail/byte_pairs.hpp"
#include "rc3/text/detail/charsmap.hpp"
#include "rc3/text/detail/gemma.hpp"
#include "rc3/text/detail/model_type.hpp"
#include "rc3/text/detail/require_text.hpp"
#include "rc3/text/detail/ties.hpp"
#include "rc3/text/detail/tokenizer_config.hpp"
#include "rc3/text/detail/unicode.hpp"

namespace rc3::text {

/// Length of the texts of a SiglipTokenizer.
struct SiglipTokenizerOptions {
  /// Tokens, including the end token, >= 2; longer texts are truncated. 0: model_max_length of tokenizer_config.json,
  /// 64 without it.
  std::int64_t max_length = 0;
};

template <class V>
void visit_fields(SiglipTokenizerOptions& o, V&& v) {
  v("max_length", o.max_length, "tokens, including the end token; longer texts are truncated", config::at_least(2));
}

namespace detail {

/// SigLIP's canonical text: lower case, without ASCII punctuation, blanks joined and trimmed. As in Python.
inline std::string canonical(std::string_view text, bool lower_case) {
  auto all = metric::unicode::decode(text, "text::SiglipTokenizer: the text");
  if (lower_case) all = metric::unicode::lower(all);
  std::u32string out;
  for (const char32_t c : all) {
    const bool punctuation =
        (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
    if (punctuation) continue;
    if (!metric::unicode::is_space(c))
      out += c;
    else if (!out.empty() && out.back() != U' ')
      out += U' ';
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  std::string bytes;
  for (const char32_t c : out) append_utf8(bytes, c);
  return bytes;
}

/// spiece.model: the pieces of "<unk>" + text, without those of "<unk>". transformers does this to keep the blank that
/// SentencePiece adds before a text away from it.
class SiglipPieces {
 public:
  explicit SiglipPieces(const std::filesystem::path& directory) {
    const auto file = directory / "spiece.model";
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(file, failed);
    require(!failed, file.string(), ": cannot be read (", failed.message(), ")");
    require(bytes <= max_tokenizer_bytes, file.string(), ": ", bytes, " bytes, more than the ", max_tokenizer_bytes,
            " that a SentencePiece model may have");
    const auto status = processor_->Load(file.string());
    require(status.ok(), file.string(), ": not a SentencePiece model (", status.ToString(), ")");
    check_model(processor_->serialized_model_proto(), file.string());
    const auto config = read_tokenizer_config(directory);
    const auto piece = [&](const char* key) {
      const auto name = config.name(key);
      const int id = processor_->PieceToId(name);
      require(processor_->IdToPiece(id) == name, config.where, ": ", key, " \"", name, "\" is no piece of ",
              file.string());
      return static_cast<std::int64_t>(id);
    };
    pad_ = piece("pad_token");
    end_ = piece("eos_token");
    length_ = config.length(length_);
    unknown_ = config.name("unk_token");
    lower_case_ = io::get_or(config.json, "do_lower_case", config.where, true);
    ties_ = is_unigram(processor_->serialized_model_proto());
    std::vector<int> pieces;
    require(processor_->Encode(unknown_, &pieces).ok(), file.string(), ": cannot encode \"", unknown_, '"');
    skipped_ = pieces.size();
  }

  std::vector<std::int64_t> operator()(std::string_view text) const {
    std::vector<int> pieces;
    // transformers replaces "▁" by a blank and puts one "▁" before the text.
    std::string blank = "\xE2\x96\x81";
    for (std::size_t at = 0; at < text.size();) {
      const bool mark = text.substr(at).starts_with("\xE2\x96\x81");
      blank += mark ? ' ' : text[at];
      at += mark ? 3 : 1;
    }
    const auto status = processor_->Encode(unknown_ + canonical(blank, lower_case_), &pieces);
    require(status.ok(), "text::SiglipTokenizer: ", status.ToString());
    pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(std::min(skipped_, pieces.size())));
    // Ties as in text::Tokenizer: the shorter piece first.
    const auto name = [&](int piece) {
      return processor_->IsUnknown(piece) ? std::string_view() : processor_->IdToPiece(piece);
    };
    for_each_tie(
        ties_ ? pieces.size() : 0, [&](std::size_t i) { return name(pieces[i]); },
        [&](std::size_t begin, std::size_t end) {
          std::stable_sort(pieces.data() + begin, pieces.data() + end,
                           [&](int a, int b) { return name(a).size() < name(b).size(); });
        });
    return {pieces.begin(), pieces.end()};
  }

  std::int64_t pad() const { return pad_; }
  std::int64_t end() const { return end_; }
  std::int64_t length() const { return length_; }
  std::int64_t vocabulary() const { return processor_->GetPieceSize(); }

 private:
  std::shared_ptr<sentencepiece::SentencePieceProcessor> processor_ =
      std::make_shared<sentencepiece::SentencePieceProcessor>();
  std::int64_t pad_ = 0, end_ = 0, length_ = 64;
  std::string unknown_;
  std::size_t skipped_ = 0;
  bool lower_case_ = true, ties_ = true;
};

}  // namespace detail

/// Ids of a text and the end token, as transformers' SiglipTokenizer (spiece.model) or Siglip2Tokenizer
/// (tokenizer.json). Thread-safe.
///
/// Text is data: `</s>` or `<eos>` in it become ordinary pieces, as with `split_special_tokens` in transformers.
class SiglipTokenizer {
 public:
  static constexpr std::size_t max_text_bytes = 1u << 20;  ///< limit of a text

  /// Reads spiece.model and tokenizer_config.json in @p directory, or tokenizer.json if there is no spiece.model.
  /// @throws rc3::Error naming the file and what is missing, invalid or of another tokenizer
  static SiglipTokenizer from_pretrained(const std::filesystem::path& directory, SiglipTokenizerOptions options = {}) {
    if (std::filesystem::exists(directory / "spiece.model"))
      return {std::make_shared<const Model>(detail::SiglipPieces(directory)), options,
              files_of(directory, {"spiece.model", "tokenizer_config.json"})};
    require(std::filesystem::exists(directory / "tokenizer.json"), directory.string(),
            ": has neither spiece.model (SigLIP) nor tokenizer.json (SigLIP 2)");
    return {std::make_shared<const Model>(detail::Gemma(directory)), options,
            files_of(directory, {"tokenizer.json", "tokenizer_config.json"})};
  }

  /// The same loaded model with another length. @throws rc3::Error for an invalid option
  SiglipTokenizer with(SiglipTokenizerOptions options) const { return {model_, options, files_}; }

  /// Ids of @p text with the end token, at most `max_length`.
  /// @throws rc3::Error if the text is empty or blank, not UTF-8 or longer than `max_text_bytes`
  std::vector<std::int64_t> encode(std::string_view text) const {
    detail::require_text("text::SiglipTokenizer", text, max_text_bytes);
    auto ids = std::visit([&](const auto& m) { return m(text); }, *model_);
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(options_.max_length) - 1));
    ids.push_back(std::visit([](const auto& m) { return m.end(); }, *model_));
    return ids;
  }

  /// Id of pad_token in tokenizer_config.json, as SiglipTextOptions::padding.
  std::int64_t pad_id() const {
    return std::visit([](const auto& m) { return m.pad(); }, *model_);
  }
  /// Number of ids; a model's word embedding may have more rows.
  std::int64_t vocabulary() const {
    return std::visit([](const auto& m) { return m.vocabulary(); }, *model_);
  }
  const SiglipTokenizerOptions& options() const { return options_; }

  /// Content of the files that from_pretrained() reads from a directory, by name.
  const std::map<std::string, std::string>& files() const { return *files_; }

 private:
  using Model = std::variant<detail::SiglipPieces, detail::Gemma>;
  using Files = std::shared_ptr<const std::map<std::string, std::string>>;

  static Files files_of(const std::filesystem::path& directory, std::initializer_list<const char*> names) {
    return std::make_shared<const std::map<std::string, std::string>>(detail::read_tokenizer_files(directory, names));
  }

  SiglipTokenizer(std::shared_ptr<const Model> model, SiglipTokenizerOptions options, Files files)
      : model_(std::move(model)), files_(std::move(files)), options_(options) {
    if (options_.max_length == 0) options_.max_length = std::visit([](const auto& m) { return m.length(); }, *model_);
    require(options_.max_length >= 2, "text::SiglipTokenizer: max_length must be at least 2, is ", options_.max_length);
  }

  std::shared_ptr<const Model> model_;
  Files files_;
  SiglipTokenizerOptions options_;
};

static_assert(TokenizerPolicy<SiglipTokenizer>);

}  // namespace rc3::text
