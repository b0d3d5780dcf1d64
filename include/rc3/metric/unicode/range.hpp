#pragma once
/// Tables of characters as sorted ranges, with binary search.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace rc3::metric::unicode {

/// Categories used by tokenizers: Unicode's P, S and N; all others are `other`.
enum class Category : std::uint8_t { other, punctuation, symbol, number };

/// Characters first .. last.
struct Range {
  char32_t first;  ///< code point
  char32_t last;   ///< code point, inclusive
};

/// Characters from first to last, which have one category.
struct CategoryRange {
  char32_t first;     ///< code point
  char32_t last;      ///< code point, inclusive
  Category category;  ///< of all of them
};

/// Every step-th character of first .. last has a lower case, at the offset @p difference.
struct LowerRange {
  char32_t first;           ///< code point
  char32_t last;            ///< code point, inclusive
  std::uint8_t step;        ///< distance of two that have one, >= 1
  std::int32_t difference;  ///< lower case minus upper case
};

/// Range of @p table with @p c, or nullptr. @pre the table is sorted and its ranges do not overlap
template <class Row, std::size_t size>
constexpr const Row* find_range(const std::array<Row, size>& table, char32_t c) {
  const auto row = std::lower_bound(table.begin(), table.end(), c, [](const Row& r, char32_t x) { return r.last < x; });
  return row != table.end() && row->first <= c ? &*row : nullptr;
}

}  // namespace rc3::metric::unicode
