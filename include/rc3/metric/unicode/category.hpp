#pragma once
/// Unicode categories: punctuation, symbols, numbers.

#include "rc3/metric/unicode/category_table.hpp"
#include "rc3/metric/unicode/range.hpp"

namespace rc3::metric::unicode {

/// First letter of the general category of the character @p c (UAX #44, table 12).
constexpr Category category(char32_t c) {
  const CategoryRange* row = find_range(table::categories, c);
  return row == nullptr ? Category::other : row->category;
}

/// Category P: quotation marks, dashes and brackets too.
constexpr bool is_punctuation(char32_t c) { return category(c) == Category::punctuation; }
/// Category S: mathematics, currencies, pictographs.
constexpr bool is_symbol(char32_t c) { return category(c) == Category::symbol; }
/// Category N: digits of every script, fractions, Roman numerals.
constexpr bool is_number(char32_t c) { return category(c) == Category::number; }

}  // namespace rc3::metric::unicode
