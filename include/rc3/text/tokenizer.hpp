#pragma once
/// SentencePiece with the ids of XLM-R. LibTorch-free.

#include <sentencepiece_processor.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"

namespace rc3::text {

struct TokenizerOptions {
  std::string prefix = "";        ///< put before every text; multilingual-e5 wants "query: " or "passage: "
  std::int64_t max_length = 512;  ///< tokens a text, <s> and </s> included, >= 3; longer texts are cut
};

/// Turns texts into ids: `<s> pieces </s>`.
/// SentencePiece numbers <unk>=0 <s>=1 </s>=2 and pieces from 3; XLM-R numbers <s>=0 <pad>=1 </s>=2 <unk>=3 and pieces
/// from 4, with <mask> last. There is no Tokenizer without a loaded model.
class Tokenizer {
 public:
  static constexpr std::int64_t bos = 0, pad = 1, eos = 2, unk = 3;
  static constexpr std::uintmax_t max_model_bytes = 32u << 20;  ///< a model file beyond this is refused
  static constexpr std::size_t max_text_bytes = 1u << 20;       ///< a text beyond this is refused

  /// Reads `sentencepiece.bpe.model` in @p directory, or the file itself if @p directory is one.
  /// @throws rc3::Error if the file is missing, too large or no SentencePiece model
  static Tokenizer from_pretrained(std::filesystem::path directory, TokenizerOptions options = {}) {
    if (std::filesystem::is_directory(directory)) directory /= "sentencepiece.bpe.model";
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(directory, failed);
    require(!failed, directory.string(), ": cannot be read (", failed.message(),
            "); a Hugging Face directory of XLM-R or multilingual-e5 holds it");
    require(bytes <= max_model_bytes, directory.string(), ": ", bytes, " bytes, more than the ", max_model_bytes,
            " that a SentencePiece model may have");
    auto processor = std::make_shared<sentencepiece::SentencePieceProcessor>();
    const auto status = processor->Load(directory.string());
    require(status.ok(), directory.string(), ": not a SentencePiece model (", status.ToString(), ")");
    return Tokenizer(std::move(processor), std::move(options));
  }

  /// Ids of @p text, <s> and </s> included, at most `max_length`.
  /// @throws rc3::Error if the text is empty or only blanks, not UTF-8 or longer than `max_text_bytes`
  std::vector<std::int64_t> encode(std::string_view text) const {
    require(text.size() <= max_text_bytes, "text::Tokenizer: a text of ", text.size(), " bytes; at most ",
            max_text_bytes, " are read, cut it first");
    require_utf8(text, "text::Tokenizer: the text");
    require(text.find_first_not_of(" \t\r\n") != std::string_view::npos,
            "text::Tokenizer: an empty text; drop the sample, or give it a caption");
    std::vector<int> pieces;
    const auto status = processor_->Encode(options_.prefix + std::string(text), &pieces);
    require(status.ok(), "text::Tokenizer: ", status.ToString());
    std::vector<std::int64_t> ids{bos};
    for (const int piece : pieces) {
      if (static_cast<std::int64_t>(ids.size()) == options_.max_length - 1) break;
      ids.push_back(piece == 0 ? unk : piece + 1);
    }
    ids.push_back(eos);
    return ids;
  }

  /// Ids in the model's vocabulary, <pad> and <mask> included.
  std::int64_t vocabulary() const { return processor_->GetPieceSize() + 2; }

  const TokenizerOptions& options() const { return options_; }

 private:
  Tokenizer(std::shared_ptr<sentencepiece::SentencePieceProcessor> processor, TokenizerOptions options)
      : processor_(std::move(processor)), options_(std::move(options)) {
    require(options_.max_length >= 3, "text::Tokenizer: max_length must be at least 3, is ", options_.max_length);
    require_utf8(options_.prefix, "text::Tokenizer: the prefix");
  }

  std::shared_ptr<const sentencepiece::SentencePieceProcessor> processor_;
  TokenizerOptions options_;
};

}  // namespace rc3::text
