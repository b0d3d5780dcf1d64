#pragma once
/// Huber penalty between proximity and relevance: a target instead of an upper bound.

#include <ATen/TensorOperators.h>
#include <ATen/ops/huber_loss.h>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = mean_i h(s_i - c(rho_i)), with c(rho) = c0 + (1 - c0) rho and Huber's h(d) = d^2 / 2 for |d| <= delta, else
/// delta (|d| - delta / 2).
class HuberToTarget {
 public:
  /// @param c0     target proximity of texts with relevance 0, in [-1, 1]
  /// @param delta  distance above which the penalty is linear, > 0
  /// @throws rc3::Error for a value out of range
  explicit HuberToTarget(double c0 = 0.0, double delta = 0.5) : c0_(c0), delta_(delta) {
    require(c0 >= -1 && c0 <= 1, "regularizer::HuberToTarget: c0 must be in [-1, 1], is ", c0);
    require(delta > 0, "regularizer::HuberToTarget: delta must be above 0, is ", delta);
  }

  /// @return Omega, a scalar >= 0
  at::Tensor penalty(const Pairs& pairs) const {
    const auto target = c0_ + (1 - c0_) * pairs.relevance.detach();
    return at::huber_loss(pairs.similarity, target.to(pairs.similarity.scalar_type()), at::Reduction::Mean, delta_);
  }

 private:
  double c0_, delta_;
};

static_assert(Policy<HuberToTarget>);

}  // namespace rc3::regularizer
