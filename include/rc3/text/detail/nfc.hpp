#pragma once
/// Unicode's normal form C (UAX #15). LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/text/detail/composition_table.hpp"
#include "rc3/text/detail/decomposition_table.hpp"

namespace rc3::text::detail {

namespace hangul {
inline constexpr char32_t syllable = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7;
inline constexpr char32_t vowels = 21, trailings = 28, syllables = 19 * vowels * trailings;
}  // namespace hangul

inline int combining_class(char32_t c) {
  const auto* row = c < 0x300 ? nullptr : metric::unicode::find_range(table::classes, c);
  return row == nullptr ? 0 : row->value;
}

inline void decompose(char32_t c, std::u32string& out) {
  using namespace hangul;
  if (c < 0xC0) {
    out += c;
  } else if (c >= syllable && c < syllable + syllables) {
    const char32_t i = c - syllable;
    out += leading + i / (vowels * trailings);
    out += vowel + i / trailings % vowels;
    if (i % trailings > 0) out += trailing + i % trailings;
  } else if (const auto pair = std::lower_bound(table::composed.begin(), table::composed.end(), c,
                                                [](const Composition& a, char32_t x) { return a.composed < x; });
             pair != table::composed.end() && pair->composed == c) {
    decompose(pair->first, out);
    out += pair->second;
  } else if (const auto row = std::lower_bound(table::decomposed.begin(), table::decomposed.end(), c,
                                               [](const Decomposition& a, char32_t x) { return a.character < x; });
             row != table::decomposed.end() && row->character == c) {
    for (const char32_t part : row->parts)
      if (part != 0) out += part;
  } else {
    out += c;
  }
}

/// The character that composes @p a and @p b; 0 if there is none.
inline char32_t compose(char32_t a, char32_t b) {
  using namespace hangul;
  if (a >= leading && a < leading + 19 && b >= vowel && b < vowel + vowels)
    return syllable + ((a - leading) * vowels + (b - vowel)) * trailings;
  if (a >= syllable && a < syllable + syllables && (a - syllable) % trailings == 0 && b > trailing &&
      b < trailing + trailings)
    return a + (b - trailing);
  static const std::map<std::pair<char32_t, char32_t>, char32_t> pairs = [] {
    std::map<std::pair<char32_t, char32_t>, char32_t> all;
    for (const Composition& c : table::composed) all.emplace(std::pair{c.first, c.second}, c.composed);
    return all;
  }();
  const auto found = pairs.find({a, b});
  return found == pairs.end() ? 0 : found->second;
}

/// @p text in normal form C.
inline std::u32string nfc(std::u32string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x300; })) return std::u32string(text);
  std::u32string all;
  all.reserve(text.size());
  for (const char32_t c : text) decompose(c, all);
  // Marks between two starters are ordered by their class.
  for (std::size_t i = 0; i < all.size();) {
    if (combining_class(all[i]) == 0) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < all.size() && combining_class(all[end]) > 0) ++end;
    std::stable_sort(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end;
  }
  std::u32string out;
  out.reserve(all.size());
  std::size_t starter = std::u32string::npos;
  int last = 0;  // class of the last character that stayed behind the starter
  for (const char32_t c : all) {
    const int kind = combining_class(c);
    const bool adjacent = starter != std::u32string::npos && starter + 1 == out.size();
    if (starter != std::u32string::npos && (adjacent || (last < kind && last > 0))) {
      if (const char32_t both = compose(out[starter], c); both != 0) {
        out[starter] = both;
        continue;
      }
    }
    if (kind == 0) starter = out.size();
    last = kind;
    out += c;
  }
  return out;
}

}  // namespace rc3::text::detail
