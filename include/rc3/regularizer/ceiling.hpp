#pragma once
/// A ceiling on proximity: RC³'s idea that two inputs may be no closer than their texts are relevant to each other.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = mean_i max(0, s_i - c(rho_i))^2, with c(rho) = c0 + (1 - c0) rho.
/// The form is this library's; the paper (RC³, Findings of ACL 2023) fixes that proximity is bounded by relevance.
class Ceiling {
 public:
  /// @param c0  proximity that texts of no relevance may have, in [-1, 1]
  explicit Ceiling(double c0 = 0.0) : c0_(c0) {
    require(c0 >= -1 && c0 <= 1, "regularizer::Ceiling: c0 must lie in [-1, 1], is ", c0);
  }

  /// @return Omega, a scalar >= 0; zero, without gradient, for every pair below its ceiling
  at::Tensor penalty(const Pairs& pairs) const {
    const auto ceiling = c0_ + (1 - c0_) * pairs.relevance.detach();
    return (pairs.similarity - ceiling).clamp_min(0).square().mean();
  }

 private:
  double c0_;
};

static_assert(Policy<Ceiling>);

}  // namespace rc3::regularizer
