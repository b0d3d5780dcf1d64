#pragma once
/// XLM-R ids and spans from SentencePiece. LibTorch-free.

#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/text/detail/alignment.hpp"
#include "rc3/text/detail/assemble.hpp"
#include "rc3/text/detail/ties.hpp"
#include "rc3/text/encoding.hpp"

namespace rc3::text::detail {

/// Ids of @p text without special tokens. @throws rc3::Error if SentencePiece fails
/// @param ties  whether the model has ties that rounding decides, see is_unigram()
inline std::vector<std::int64_t> piece_ids(const sentencepiece::SentencePieceProcessor& processor, bool ties,
                                           std::string_view text) {
  std::vector<int> pieces;
  const auto status = processor.Encode(text, &pieces);
  require(status.ok(), "text::Tokenizer: ", status.ToString());
  const auto name = [&](int piece) { return piece == 0 ? std::string_view() : processor.IdToPiece(piece); };
  for_each_tie(
      ties ? pieces.size() : 0, [&](std::size_t i) { return name(pieces[i]); },
      [&](std::size_t begin, std::size_t end) {
        std::stable_sort(pieces.data() + begin, pieces.data() + end,
                         [&](int a, int b) { return name(a).size() < name(b).size(); });
      });
  std::vector<std::int64_t> ids(pieces.size());
  std::transform(pieces.begin(), pieces.end(), ids.begin(), xlm_r_id);
  return ids;
}

/// The same ids with their spans in the text after a prefix.
/// @param ties    as in piece_ids
/// @param whole   prefix and text
/// @param before  length of the prefix, bytes
/// @param source  index of the text in a pair
inline Encoding piece_spans(const sentencepiece::SentencePieceProcessor& processor, bool ties, std::string_view whole,
                            std::size_t before, int source) {
  sentencepiece::ImmutableSentencePieceText pieces;
  const auto status = processor.Encode(whole, pieces.mutable_proto());
  require(status.ok(), "text::Tokenizer: ", status.ToString());
  struct Token {
    std::int64_t id;
    std::string name;
    Span span;
  };
  std::vector<Token> tokens;
  for (const auto& piece : pieces.pieces()) tokens.push_back({piece.id(), piece.piece(), {piece.begin(), piece.end()}});
  for_each_tie(
      ties ? tokens.size() : 0, [&](std::size_t i) { return tokens[i].id == 0 ? std::string_view() : tokens[i].name; },
      [&](std::size_t begin, std::size_t end) {
        const Span all{tokens[begin].span.begin, tokens[end - 1].span.end};
        const std::span run(tokens.data() + begin, end - begin);
        std::stable_sort(run.begin(), run.end(),
                         [](const Token& a, const Token& b) { return a.name.size() < b.name.size(); });
        std::vector<std::string_view> names;
        for (const Token& token : run) names.push_back(token.name);
        const auto spans = divide(whole, all, names);
        for (std::size_t i = 0; i < run.size(); ++i) run[i].span = spans[i];
      });
  const CharacterOffsets characters(whole.substr(before));
  const auto in_text = [before](std::size_t at) { return std::max(at, before) - before; };
  Encoding result;
  for (const Token& token : tokens) {
    const Span span = without_blanks(whole, token.span, token.name == "▁");
    const Span bytes{in_text(span.begin), in_text(span.end)};
    result.ids.push_back(xlm_r_id(token.id));
    result.bytes.push_back(bytes);
    result.characters.push_back(characters(bytes));
    // A piece that starts in the prefix and ends in the text belongs to the text.
    result.source.push_back(before > 0 && span.end <= before ? Encoding::special : source);
  }
  return result;
}

}  // namespace rc3::text::detail
