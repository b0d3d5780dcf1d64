#pragma once
/// Order of pieces that SentencePiece decides by rounding. LibTorch-free.
///
/// "MMM" is M MM or MM M with the same score. SentencePiece 0.1.97 decides by the rounding error of all preceding text,
/// so one word can be split in two ways within a text. Hugging Face tokenizers add in double precision and always put
/// the shorter piece first; so does this code. Models of byte-pair encoding have no such ties, see is_unigram().

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/text/detail/alignment.hpp"

namespace rc3::text::detail {

/// Whether ab and ba are equal: both repeat one word. @pre neither is empty
constexpr bool commute(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (a.size() > b.size()) std::swap(a, b);
    if (!b.starts_with(a)) return false;
    b.remove_prefix(a.size());
  }
  return true;
}

/// Calls @p found with begin and end of every maximal run of pieces that repeat one word and are not all equal.
/// @param piece  piece at an index; empty for an unknown one
template <class Piece, class Found>
void for_each_tie(std::size_t n, const Piece& piece, const Found& found) {
  std::size_t begin = 0;
  bool mixed = false;
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n) {
      const std::string_view a = piece(i - 1), b = piece(i);
      if (!a.empty() && !b.empty() && commute(a, b)) {
        mixed |= a.size() != b.size();
        continue;
      }
    }
    if (mixed) found(begin, i);
    begin = i;
    mixed = false;
  }
}

inline std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Divides the bytes @p all of @p text among @p pieces, one character for each of theirs. If normalisation changed the
/// number of characters, each piece gets all: too rare for a finer division.
inline std::vector<Span> divide(std::string_view text, Span all, const std::vector<std::string_view>& pieces) {
  std::size_t characters = 0;
  for (const auto piece : pieces) characters += count_characters(piece);
  std::vector<Span> spans(pieces.size(), all);
  if (characters != count_characters(text.substr(all.begin, all.end - all.begin))) return spans;
  std::size_t at = all.begin;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    spans[i].begin = at;
    for (std::size_t left = count_characters(pieces[i]); left > 0; --left) at = next_character(text, at);
    spans[i].end = at;
  }
  return spans;
}

}  // namespace rc3::text::detail
