#pragma once
/// SentencePiece tokenizer with the ids of XLM-R. LibTorch-free.

#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/detail/alignment.hpp"
#include "rc3/text/detail/assemble.hpp"
#include "rc3/text/detail/charsmap.hpp"
#include "rc3/text/detail/model_type.hpp"
#include "rc3/text/detail/pieces.hpp"
#include "rc3/text/detail/require_text.hpp"
#include "rc3/text/detail/unigram_json.hpp"
#include "rc3/text/encoding.hpp"
#include "rc3/text/truncation.hpp"

namespace rc3::text {

/// Prefix and length of the texts of a Tokenizer.
struct TokenizerOptions {
  std::string prefix = "";        ///< prepended to every text; "query: " or "passage: " for multilingual-e5
  std::int64_t max_length = 512;  ///< tokens with `<s>` and `</s>`, >= 3, for pairs >= 6; longer texts are truncated
  Truncation truncation = Truncation::longest_first;  ///< which text of a pair is truncated
};

template <class V>
void visit_fields(TokenizerOptions& o, V&& v) {
  v("prefix", o.prefix, "prepended to every text");
  v("max_length", o.max_length, "tokens, including <s> and </s>; longer texts are truncated", config::at_least(3));
  v("truncation", o.truncation, "which text of a pair is truncated");
}

/// Tokenizer of texts, `<s> a </s>`, and pairs, `<s> a </s></s> b </s>`. Thread-safe.
///
/// SentencePiece numbers `<unk>` 0, `<s>` 1, `</s>` 2 and pieces from 3. XLM-R numbers `<s>` 0, `<pad>` 1, `</s>` 2,
/// `<unk>` 3 and pieces from 4, with `<mask>` last. There is no Tokenizer without a loaded model.
///
/// Text is data: `</s>` or `<mask>` in it become ordinary pieces, never the special token. A caption can therefore not
/// end a sequence or mask a word. Hugging Face's fast tokenizer returns the special id instead.
class Tokenizer {
 public:
  static constexpr std::int64_t bos = detail::bos_id;           ///< `<s>`: 0
  static constexpr std::int64_t pad = detail::pad_id;           ///< `<pad>`: 1
  static constexpr std::int64_t eos = detail::eos_id;           ///< `</s>`: 2
  static constexpr std::int64_t unk = detail::unk_id;           ///< `<unk>`: 3
  static constexpr std::uintmax_t max_model_bytes = 32u << 20;  ///< limit of a model file
  static constexpr std::size_t max_text_bytes = 1u << 20;       ///< limit of a text

  /// Reads `sentencepiece.bpe.model` in @p directory, or else a Unigram `tokenizer.json` (transformers 5 writes no
  /// other file), or @p directory itself if it is a file.
  /// @throws rc3::Error if there is neither, or the file is too large, no SentencePiece model, or of other ids
  static Tokenizer from_pretrained(std::filesystem::path directory, TokenizerOptions options = {}) {
    if (std::filesystem::is_directory(directory)) directory = file_in(directory);
    auto processor = std::make_shared<sentencepiece::SentencePieceProcessor>();
    const bool json = directory.extension() == ".json";
    const auto model =
        json ? detail::UnigramJson(directory).sentencepiece() : io::read_file(directory, max_model_bytes);
    const auto status = processor->LoadFromSerializedProto(model);
    require(status.ok(), directory.string(), ": not a SentencePiece model (", status.ToString(), ")");
    detail::check_model(processor->serialized_model_proto(), directory.string());
    return Tokenizer(std::move(processor), detail::is_unigram(model), std::move(options));
  }

  /// The file of @p directory that from_pretrained() reads. @throws rc3::Error if there is none
  static std::filesystem::path file_in(const std::filesystem::path& directory) {
    for (const char* name : {"sentencepiece.bpe.model", "tokenizer.json"})
      if (std::filesystem::exists(directory / name)) return directory / name;
    fail(directory.string(), ": has neither sentencepiece.bpe.model nor tokenizer.json; a Hugging Face directory of ",
         "XLM-R or multilingual-e5 holds one of them");
  }

  /// The same loaded model with other options, for example another prefix. @throws rc3::Error for an invalid option
  Tokenizer with(TokenizerOptions options) const { return Tokenizer(processor_, ties_, std::move(options)); }

  /// Ids of @p text, including `<s>` and `</s>`, at most `max_length`.
  /// @throws rc3::Error if the text is empty or blank, not UTF-8 or longer than `max_text_bytes`
  std::vector<std::int64_t> encode(std::string_view text) const {
    auto ids = ids_of(text);
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(options_.max_length) - 2));
    return detail::between(ids);
  }

  /// Ids of a pair, with the prefix before both texts, truncated by `truncation`.
  /// @throws rc3::Error as encode(text) does, naming the text of the pair; if `max_length` < 6; as text::truncate does
  std::vector<std::int64_t> encode(std::string_view first, std::string_view second) const {
    const auto [a, b] =
        cut_pair<std::vector<std::int64_t>>([&](int which) { return ids_of(which == 0 ? first : second); });
    return detail::between(a, &b);
  }

  /// Ids of encode(text), with their spans. @throws rc3::Error as encode(text) does
  Encoding encode_with_offsets(std::string_view text) const {
    auto encoding = align(text, 0);
    detail::resize(encoding, std::min(encoding.size(), static_cast<std::size_t>(options_.max_length) - 2));
    return detail::between(encoding);
  }

  /// Ids of encode(first, second), with their spans. @throws rc3::Error as encode(first, second) does
  Encoding encode_with_offsets(std::string_view first, std::string_view second) const {
    const auto [a, b] = cut_pair<Encoding>([&](int which) { return align(which == 0 ? first : second, which); });
    return detail::between(a, &b);
  }

  /// Text of @p ids without special tokens; `<unk>` becomes " ⁇ ", as in SentencePiece.
  /// @throws rc3::Error if an id is not in the vocabulary
  std::string decode(std::span<const std::int64_t> ids) const {
    std::vector<int> pieces;
    pieces.reserve(ids.size());
    for (const std::int64_t id : ids) {
      require(id >= 0 && id < vocabulary(), "text::Tokenizer: decode: id ", id, " is not in the vocabulary, 0 to ",
              vocabulary() - 1);
      if (id == bos || id == pad || id == eos || id == mask()) continue;
      pieces.push_back(id == unk ? 0 : static_cast<int>(id - 1));
    }
    std::string text;
    const auto status = processor_->Decode(pieces, &text);
    require(status.ok(), "text::Tokenizer: decode: ", status.ToString());
    return text;
  }

  /// Piece of an id, "▁" for a space. @throws rc3::Error if the id is not in the vocabulary
  std::string piece(std::int64_t id) const {
    require(id >= 0 && id < vocabulary(), "text::Tokenizer: id ", id, " is not in the vocabulary, 0 to ",
            vocabulary() - 1);
    if (id == mask()) return "<mask>";
    constexpr const char* special[]{"<s>", "<pad>", "</s>", "<unk>"};
    return id <= unk ? special[id] : processor_->IdToPiece(static_cast<int>(id - 1));
  }

  /// Id of a piece or special token; `unk` if it does not exist.
  std::int64_t id(std::string_view piece) const {
    if (piece == "<s>") return bos;
    if (piece == "<pad>") return pad;
    if (piece == "</s>") return eos;
    if (piece == "<mask>") return mask();
    return detail::xlm_r_id(processor_->PieceToId(piece));
  }

  /// Size of the vocabulary, including `<pad>` and `<mask>`; a model's word embedding may have more rows.
  std::int64_t vocabulary() const { return processor_->GetPieceSize() + 2; }

  /// Id of padding, `pad`.
  std::int64_t pad_id() const { return pad; }

  /// Id of `<mask>`, the last one.
  std::int64_t mask() const { return vocabulary() - 1; }

  const TokenizerOptions& options() const { return options_; }

  /// Content of the files that from_pretrained() reads from a directory, by name.
  std::map<std::string, std::string> files() const {
    return {{"sentencepiece.bpe.model", std::string(processor_->serialized_model_proto())}};
  }

 private:
  Tokenizer(std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor, bool ties, TokenizerOptions options)
      : processor_(std::move(processor)), ties_(ties), options_(std::move(options)) {
    require(options_.max_length >= 3, "text::Tokenizer: max_length must be at least 3, is ", options_.max_length);
    require_utf8(options_.prefix, "text::Tokenizer: the prefix");
  }

  std::string prepare(std::string_view text) const {
    detail::require_text("text::Tokenizer", text, max_text_bytes);
    return options_.prefix + std::string(text);
  }
  std::vector<std::int64_t> ids_of(std::string_view text) const {
    return detail::piece_ids(*processor_, ties_, prepare(text));
  }
  Encoding align(std::string_view text, int source) const {
    return detail::piece_spans(*processor_, ties_, prepare(text), options_.prefix.size(), source);
  }
  template <class Part, class Encode>
  std::pair<Part, Part> cut_pair(const Encode& encode) const {
    require(options_.max_length >= 6,
            "text::Tokenizer: a pair needs max_length >= 6, four special tokens and a token a text; is ",
            options_.max_length);
    const auto part = [&](int which) {
      try {
        return encode(which);
      } catch (const Error& error) {
        fail("the ", which == 0 ? "first" : "second", " text of a pair: ", error.what());
      }
    };
    std::pair<Part, Part> pair{part(0), part(1)};
    const auto [a, b] = truncate(detail::tokens(pair.first), detail::tokens(pair.second),
                                 static_cast<std::size_t>(options_.max_length) - 4, options_.truncation);
    detail::resize(pair.first, a);
    detail::resize(pair.second, b);
    return pair;
  }

  std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor_;
  bool ties_;  ///< of a unigram model
  TokenizerOptions options_;
};

static_assert(TokenizerPolicy<Tokenizer>);

}  // namespace rc3::text
