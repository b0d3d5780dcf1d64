#pragma once
/// Smoothing of BLEU precisions without matches.

#include <cmath>
#include <iomanip>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>

#include "rc3/core/error.hpp"

namespace rc3::metric::smoothing {

/// Matches and number of n-grams of an order.
struct Fraction {
  double matches;  ///< n-grams found in a reference
  double total;    ///< n-grams of the hypotheses
};

/// "floor[0.10]". @throws rc3::Error unless @p value is > 0
inline std::string name_with(std::string_view name, double value) {
  require(value > 0 && std::isfinite(value), "metric::smoothing: ", name, " needs a value > 0, and this is ", value);
  std::ostringstream out;
  out << name << '[' << std::fixed << std::setprecision(2) << value << ']';
  return out.str();
}

/// No smoothing: BLEU is 0 if one order has no match (Papineni 2002).
struct None {
  std::string name() const { return "none"; }  ///< in signatures
  /// @param counts  of n-grams of the order in the second argument, 1 .. 4; the third is the number of orders without
  ///                a match up to this one
  Fraction operator()(Fraction counts, int /*order*/, int /*zeros*/) const { return counts; }
};

/// Method 1 of Chen and Cherry 2014, "A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU": 0
/// matches count as `value`.
struct Floor {
  double value = 0.1;  ///< n-grams, > 0
  /// In signatures. @throws rc3::Error unless `value` is > 0
  std::string name() const { return name_with("floor", value); }
  /// @param counts  of one order, as in None
  Fraction operator()(Fraction counts, int, int) const {
    return counts.matches == 0 ? Fraction{value, counts.total} : counts;
  }
};

/// Method 2 there: adds `value` to matches and n-grams, for orders above 1.
struct AddK {
  double value = 1;  ///< n-grams, > 0
  /// In signatures. @throws rc3::Error unless `value` is > 0
  std::string name() const { return name_with("add-k", value); }
  /// @param counts  of n-grams of @p order, 1 .. 4
  Fraction operator()(Fraction counts, int order, int) const {
    return order == 1 ? counts : Fraction{counts.matches + value, counts.total + value};
  }
};

/// Method 3 there, of NIST's mteval-v13a.pl: the k-th order without a match counts as 1 / 2^k matches.
struct Exp {
  std::string name() const { return "exp"; }  ///< in signatures
  /// @param counts  of one order
  /// @param zeros   number k of orders without a match up to this one
  Fraction operator()(Fraction counts, int, int zeros) const {
    return counts.matches == 0 ? Fraction{std::ldexp(1.0, -zeros), counts.total} : counts;
  }
};

}  // namespace rc3::metric::smoothing

namespace rc3::metric {

/// One of these; Exp is the default.
using Smoothing = std::variant<smoothing::Exp, smoothing::Floor, smoothing::AddK, smoothing::None>;

}  // namespace rc3::metric
