#pragma once
/// Tokens of a text with their positions in the text. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rc3::text {

/// A half-open range [begin, end) of a text, in code points or bytes: the member that holds it says which.
struct Span {
  std::size_t begin = 0;  ///< offset of the first one, from 0
  std::size_t end = 0;    ///< offset after the last one, >= begin

  bool empty() const { return begin == end; }  ///< covers no character
  friend bool operator==(const Span&, const Span&) = default;
};

/// Tokens of one text or a pair. All four vectors have one entry per token.
///
/// A span covers the characters of a token's letters in the original text: without prefix, normalisation, or the blanks
/// of a "▁". It is empty for special tokens, tokens of the prefix and the piece "▁" alone. Several tokens may share a
/// character that normalisation expanded.
struct Encoding {
  static constexpr int special = -1;  ///< source of tokens of neither text

  std::vector<std::int64_t> ids;  ///< ids of XLM-R
  std::vector<Span> characters;   ///< in code points, as Python counts
  std::vector<Span> bytes;        ///< in bytes of UTF-8: `text.substr(begin, end - begin)`
  std::vector<int> source;        ///< 0: the first text, 1: the second, `special`: neither (`<s>`, `</s>`, prefix)

  std::size_t size() const { return ids.size(); }  ///< number of tokens, special ones included
};

}  // namespace rc3::text
