#pragma once
/// The tokens of a text and where in the text they come from. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rc3::text {

/// A half-open range [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool empty() const { return begin == end; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// One text or a pair of texts as tokens. All four vectors have one entry a token.
///
/// A span holds the characters that a token's letters come from, in the text as the caller gave it: no prefix, nothing
/// normalised, and without the blanks that the "▁" of a piece stands for. It is empty for special tokens, for tokens of
/// the prefix and for the piece "▁" alone. Several tokens may share a character that normalisation turned into several.
struct Encoding {
  static constexpr int special = -1;

  std::vector<std::int64_t> ids;  ///< ids of XLM-R
  std::vector<Span> characters;   ///< in code points, as Python counts
  std::vector<Span> bytes;        ///< in bytes of UTF-8: `text.substr(begin, end - begin)`
  std::vector<int> source;        ///< 0: the first text, 1: the second, `special`: neither (<s>, </s>, the prefix)

  std::size_t size() const { return ids.size(); }
};

}  // namespace rc3::text
