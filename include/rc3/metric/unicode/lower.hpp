#pragma once
/// Unicode lower case, independent of the locale.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/metric/unicode/lower_table.hpp"
#include "rc3/metric/unicode/range.hpp"

namespace rc3::metric::unicode {

/// Lower case of @p c alone; unchanged if it has none.
constexpr char32_t lower(char32_t c) {
  const LowerRange* row = find_range(table::lower, c);
  if (row == nullptr || (c - row->first) % row->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int64_t>(c) + row->difference);
}

/// Whether character @p i of @p text ends a word: it follows a cased letter and precedes none, ignoring accents,
/// apostrophes and the like (The Unicode Standard 3.13, Final_Sigma).
constexpr bool ends_word(std::u32string_view text, std::size_t i) {
  const auto ignored = [](char32_t c) { return find_range(table::case_ignorable, c) != nullptr; };
  const auto cased = [](char32_t c) { return find_range(table::cased, c) != nullptr; };
  std::size_t before = i;
  while (before > 0 && ignored(text[before - 1])) --before;
  std::size_t after = i + 1;
  while (after < text.size() && ignored(text[after])) ++after;
  return before > 0 && cased(text[before - 1]) && (after == text.size() || !cased(text[after]));
}

/// Lower case of @p text, as Python's `str.lower()`: full case mapping without language-specific rules. A capital sigma
/// is U+03C2 at a word's end; U+0130, dotted I, becomes two characters.
inline std::u32string lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'\u0130') {
      out += U"i\u0307";
    } else if (c == U'\u03A3') {
      out += ends_word(text, i) ? U'\u03C2' : U'\u03C3';
    } else {
      out += lower(c);
    }
  }
  return out;
}

}  // namespace rc3::metric::unicode
