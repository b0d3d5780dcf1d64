#pragma once
/// Rows of the tables of normal form C. LibTorch-free.

#include <array>
#include <cstdint>

#include "rc3/metric/unicode/range.hpp"

namespace rc3::text::detail {

using metric::unicode::LowerRange;
using metric::unicode::Range;

/// @p composed is @p first followed by @p second.
struct Composition {
  char32_t composed;
  char32_t first;
  char32_t second;
};

/// @p character becomes @p parts, up to a zero.
struct Decomposition {
  char32_t character;
  std::array<char32_t, 4> parts;
};

/// Characters first .. last of one combining class, above 0.
struct ClassRange {
  char32_t first;
  char32_t last;
  std::uint8_t value;
};

}  // namespace rc3::text::detail
