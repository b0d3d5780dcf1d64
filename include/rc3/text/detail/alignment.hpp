#pragma once
/// Spans of tokens in the original text, from SentencePiece's byte spans. LibTorch-free.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/text/encoding.hpp"

namespace rc3::text::detail {

/// First byte after the character that starts at @p at. @pre valid UTF-8, at < text.size()
constexpr std::size_t next_character(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

/// First byte of the character that ends before @p at. @pre valid UTF-8, at > 0
constexpr std::size_t previous_character(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

/// Code point of the character that starts at @p at. @pre valid UTF-8, at < text.size()
constexpr char32_t code_point(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = next_character(text, at) - at;
  char32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  return c;
}

/// Whether XLM-R's normalisation maps a character to a space or to nothing: Unicode's blanks, U+2581, joiners, control
/// characters and U+FFFD. Derived from its character map.
constexpr bool is_blank(char32_t c) {
  constexpr std::array<std::pair<char32_t, char32_t>, 13> blanks{{{0x01, 0x20},
                                                                  {0x7F, 0x7F},
                                                                  {0x8F, 0x8F},
                                                                  {0x9F, 0xA0},
                                                                  {0x1680, 0x1680},
                                                                  {0x2000, 0x200F},
                                                                  {0x2028, 0x2029},
                                                                  {0x202F, 0x202F},
                                                                  {0x205F, 0x205F},
                                                                  {0x2581, 0x2581},
                                                                  {0x3000, 0x3000},
                                                                  {0xFEFF, 0xFEFF},
                                                                  {0xFFFD, 0xFFFD}}};
  return std::any_of(blanks.begin(), blanks.end(), [c](const auto& b) { return b.first <= c && c <= b.second; });
}

/// Bytes of a piece's letters: its span without the blanks at both ends.
/// @param piece       span from SentencePiece
/// @param only_space  whether the piece is "▁" alone, without letters. An empty span of another piece is inside a
///         character that normalisation expanded; SentencePiece assigns all of it to the last piece
inline Span without_blanks(std::string_view text, Span piece, bool only_space) {
  while (!piece.empty() && is_blank(code_point(text, piece.begin))) piece.begin = next_character(text, piece.begin);
  while (!piece.empty()) {
    const std::size_t last = previous_character(text, piece.end);
    if (!is_blank(code_point(text, last))) break;
    piece.end = last;
  }
  if (piece.empty() && !only_space && piece.begin < text.size()) piece.end = next_character(text, piece.begin);
  return piece;
}

/// Conversion of byte offsets to character offsets.
class CharacterOffsets {
 public:
  explicit CharacterOffsets(std::string_view text) : before_(text.size() + 1) {
    std::uint32_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      before_[i] = characters;
      if (i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0) != 0x80) ++characters;
    }
    before_[text.size()] = characters;
  }
  Span operator()(Span bytes) const { return {before_[bytes.begin], before_[bytes.end]}; }

 private:
  std::vector<std::uint32_t> before_;  // by byte: number of complete characters before it
};

}  // namespace rc3::text::detail
