#pragma once
/// SentencePiece with the ids of XLM-R. LibTorch-free.

#include <sentencepiece_processor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/text/detail/alignment.hpp"
#include "rc3/text/encoding.hpp"
#include "rc3/text/truncation.hpp"

namespace rc3::text {

struct TokenizerOptions {
  std::string prefix = "";        ///< put before every text; multilingual-e5 wants "query: " or "passage: "
  std::int64_t max_length = 512;  ///< tokens, <s> and </s> included, >= 3, for pairs >= 6; what is longer is cut
  Truncation truncation = Truncation::longest_first;  ///< which text of a pair is cut
};

/// Turns texts into ids: `<s> a </s>`, pairs into `<s> a </s></s> b </s>`. May be used by several threads at a time.
///
/// SentencePiece numbers <unk>=0 <s>=1 </s>=2 and pieces from 3; XLM-R numbers <s>=0 <pad>=1 </s>=2 <unk>=3 and pieces
/// from 4, with <mask> last. There is no Tokenizer without a loaded model.
///
/// What a text says is data: "</s>" or "<mask>" in it become ordinary pieces, never the special token, so that a
/// caption cannot end a sentence or put a blank into it. Hugging Face's fast tokenizer gives the special id instead.
class Tokenizer {
 public:
  static constexpr std::int64_t bos = 0, pad = 1, eos = 2, unk = 3;
  static constexpr std::uintmax_t max_model_bytes = 32u << 20;  ///< a model file beyond this is refused
  static constexpr std::size_t max_text_bytes = 1u << 20;       ///< a text beyond this is refused

  /// Reads `sentencepiece.bpe.model` in @p directory, or the file itself if @p directory is one.
  /// @throws rc3::Error if the file is missing, too large or no SentencePiece model
  static Tokenizer from_pretrained(std::filesystem::path directory, TokenizerOptions options = {});

  /// The same loaded model with other options, for example another prefix. @throws rc3::Error if an option makes no
  /// sense
  Tokenizer with(TokenizerOptions options) const { return Tokenizer(processor_, std::move(options)); }

  /// Ids of @p text, <s> and </s> included, at most `max_length`.
  /// @throws rc3::Error if the text is empty or only blanks, not UTF-8 or longer than `max_text_bytes`
  std::vector<std::int64_t> encode(std::string_view text) const;

  /// Ids of a pair, the prefix before both texts; one that is too long is cut as `truncation` says.
  /// @throws rc3::Error as encode(text) does, naming which of the two; if `max_length` < 6; as text::truncate does
  std::vector<std::int64_t> encode(std::string_view first, std::string_view second) const;

  /// The ids of encode(text), and where in the text each comes from. @throws rc3::Error as encode(text) does
  Encoding encode_with_offsets(std::string_view text) const;

  /// The ids of encode(first, second), and where each comes from. @throws rc3::Error as encode(first, second) does
  Encoding encode_with_offsets(std::string_view first, std::string_view second) const;

  /// The text of @p ids without special tokens; <unk> is written " ⁇ ", as SentencePiece writes it.
  /// @throws rc3::Error if an id is not in the vocabulary
  std::string decode(std::span<const std::int64_t> ids) const;

  /// The piece with this id, "▁" for a space. @throws rc3::Error if the id is not in the vocabulary
  std::string piece(std::int64_t id) const;

  /// The id of a piece, special tokens by their names; `unk` if there is no such piece.
  std::int64_t id(std::string_view piece) const;

  /// Ids in the tokenizer's vocabulary, <pad> and <mask> included; a model's word embedding may have more rows.
  std::int64_t vocabulary() const { return processor_->GetPieceSize() + 2; }

  /// The id of <mask>, the last one.
  std::int64_t mask() const { return vocabulary() - 1; }

  const TokenizerOptions& options() const { return options_; }

 private:
  Tokenizer(std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor, TokenizerOptions options);

  std::string prepare(std::string_view text) const;
  std::vector<std::int64_t> ids_of(std::string_view text) const;
  Encoding align(std::string_view text, int source) const;
  template <class Part, class Encode>
  std::pair<Part, Part> cut_pair(const Encode& encode) const;

  std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor_;
  TokenizerOptions options_;
};

}  // namespace rc3::text

#include "rc3/text/detail/tokenizer_impl.hpp"
