#pragma once
/// Weights by relevance: less relevant pairs contribute less to InfoNCE.

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = 0; the InfoNCE term of pair i has the weight w_i = rho_i^gamma / mean_j rho_j^gamma. If every relevance in a
/// batch is 0, all weights are 0 and the batch has no gradient.
class Weighted {
 public:
  /// @param gamma  exponent, >= 0; 0 is plain InfoNCE
  /// @throws rc3::Error for a negative gamma
  explicit Weighted(double gamma = 1.0) : gamma_(gamma) {
    require(gamma >= 0, "regularizer::Weighted: gamma must not be negative, is ", gamma);
  }

  /// @return 0, a scalar of the similarities' type and device, without gradient
  at::Tensor penalty(const Pairs& pairs) const { return at::zeros({}, pairs.similarity.options()); }

  /// @param relevance  float [N] in [0, 1]
  /// @return w, float [N], mean 1 (or all 0); no gradient
  at::Tensor weights(const at::Tensor& relevance) const {
    const auto power = relevance.detach().pow(gamma_);
    return power / power.mean().clamp_min(1e-12);
  }

 private:
  double gamma_;
};

static_assert(Policy<Weighted> && Weighs<Weighted>);

}  // namespace rc3::regularizer
