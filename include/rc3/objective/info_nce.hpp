#pragma once
/// InfoNCE: classification of each item's partner among the batch.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>
#include <torch/nn/module.h>

#include <cmath>
#include <limits>

#include "rc3/core/check.hpp"

namespace rc3::objective {

/// -log(exp(l_ip) / sum_j allowed_ij exp(l_ij)) of each row i, where p is its partner's column. Source: van den Oord et
/// al. 2018.
/// @param logits   float [n, M]
/// @param partner  column of each row's partner, int64 [n]
/// @param allowed  bool [n, M], true where a column counts for a row; required for the partner
/// @return float [n], >= 0; zero where only the partner is allowed
inline at::Tensor info_nce_terms(const at::Tensor& logits, const at::Tensor& partner, const at::Tensor& allowed) {
  const auto masked = logits.masked_fill(~allowed, -std::numeric_limits<double>::infinity());
  return masked.logsumexp(1) - logits.gather(1, partner.unsqueeze(1)).squeeze(1);
}

/// Mean of the terms over the rows, where the partner of row i is column i.
/// @param logits   float [N, M], M >= N
/// @param allowed  bool [N, M]
/// @return scalar >= 0; zero for a batch of one
inline at::Tensor info_nce(const at::Tensor& logits, const at::Tensor& allowed) {
  return info_nce_terms(logits, at::arange(logits.size(0), allowed.options().dtype(at::kLong)), allowed).mean();
}

/// Learned temperature, stored as log(1/tau) so that it stays positive, with 1/tau at most 100. Source: CLIP (Radford
/// et al. 2021).
class Temperature : public torch::nn::Module {
 public:
  /// @param tau  unitless, >= 0.01
  /// @throws rc3::Error for a smaller tau
  explicit Temperature(double tau = 0.07) {
    require(tau >= 0.01, "objective::Temperature: tau must be at least 0.01, is ", tau);
    log_scale_ = register_parameter("log_scale", at::tensor(-std::log(tau), at::kFloat));
  }

  /// 1/tau, scalar tensor in (0, 100].
  at::Tensor scale() const { return log_scale_.clamp_max(std::log(100.0)).exp(); }

 private:
  at::Tensor log_scale_;
};

}  // namespace rc3::objective
