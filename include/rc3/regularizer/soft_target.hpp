#pragma once
/// Soft targets: the distribution of similarities over a row follows the distribution of relevances.

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = mean_i KL(softmax_j(rho_ij / tau_r) || softmax_j(s_ij / tau)).
class SoftTarget {
 public:
  static constexpr bool uses_rows = true;  ///< reads Pairs::logits and Pairs::relevances, [N, B]

  /// @param tau_r  temperature of relevance, unitless, > 0; a smaller one is closer to a one-hot target
  /// @throws rc3::Error for a tau_r that is not above 0
  explicit SoftTarget(double tau_r = 0.1) : tau_r_(tau_r) {
    require(tau_r > 0, "regularizer::SoftTarget: tau_r must be above 0, is ", tau_r);
  }

  /// @return Omega, a scalar >= 0; zero where both distributions are equal
  at::Tensor penalty(const Pairs& pairs) const {
    const auto wanted = (pairs.relevances.detach() / tau_r_).log_softmax(1);
    return (wanted.exp() * (wanted - pairs.logits.log_softmax(1))).sum(1).mean();
  }

 private:
  double tau_r_;
};

static_assert(Policy<SoftTarget>);

}  // namespace rc3::regularizer
