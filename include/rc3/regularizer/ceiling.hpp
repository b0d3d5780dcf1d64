#pragma once
/// Ceiling on proximity: the idea of RC³ that two inputs are at most as close as their texts are relevant.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = mean_i max(0, s_i - c(rho_i))^2, with c(rho) = c0 + (1 - c0) rho.
/// Source: RC³ (Findings of ACL 2023) for the bound of proximity by relevance; the form is this library's.
class Ceiling {
 public:
  /// @param c0  allowed proximity of texts with relevance 0, in [-1, 1]; 0.2 in the study on photographs
  /// @throws rc3::Error for c0 out of range
  explicit Ceiling(double c0 = 0.2) : c0_(c0) {
    require(c0 >= -1 && c0 <= 1, "regularizer::Ceiling: c0 must be in [-1, 1], is ", c0);
  }

  /// @return Omega, a scalar >= 0; every pair below its ceiling contributes zero and no gradient
  at::Tensor penalty(const Pairs& pairs) const {
    const auto ceiling = c0_ + (1 - c0_) * pairs.relevance.detach();
    return (pairs.similarity - ceiling).clamp_min(0).square().mean();
  }

 private:
  double c0_;
};

static_assert(Policy<Ceiling>);

}  // namespace rc3::regularizer
