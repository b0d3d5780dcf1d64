#pragma once
/// Bounds of an option's value.

#include <limits>
#include <string>

#include "rc3/core/error.hpp"

namespace rc3::config {

/// Range of a number: from @p low to @p high.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();  ///< -inf: none
  double high = std::numeric_limits<double>::infinity();  ///< inf: none
  bool low_in = true, high_in = true;                     ///< whether the bounds themselves are allowed

  bool hold(double x) const { return (low_in ? x >= low : x > low) && (high_in ? x <= high : x < high); }

  /// "above 0", "in [0, 1)"; empty: any.
  std::string text() const {
    const bool below = high < std::numeric_limits<double>::infinity();
    if (below) return join("in ", low_in ? '[' : '(', low, ", ", high, high_in ? ']' : ')');
    if (low > -std::numeric_limits<double>::infinity()) return join(low_in ? "at least " : "above ", low);
    return "";
  }
};

constexpr Bounds above(double low) { return {.low = low, .low_in = false}; }             ///< (low, inf)
constexpr Bounds at_least(double low) { return {.low = low}; }                           ///< [low, inf)
constexpr Bounds within(double low, double high) { return {.low = low, .high = high}; }  ///< [low, high]
/// [low, high)
constexpr Bounds from_to_below(double low, double high) { return {.low = low, .high = high, .high_in = false}; }

}  // namespace rc3::config
