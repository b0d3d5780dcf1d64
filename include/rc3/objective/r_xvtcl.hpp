#pragma once
/// R-XVtCL: regularized cross-lingual visio-textual contrastive learning, what RC³ is named after.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <torch/nn/module.h>

#include "rc3/core/nn/unit.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/info_nce.hpp"
#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/negatives/same_image.hpp"
#include "rc3/objective/pass.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::objective {

struct RXvtclOptions {
  double tau = 0.07;    ///< first temperature, >= 0.01
  double lambda = 1.0;  ///< weight of the regularizer, >= 0
};

/// symmetric InfoNCE(ẑ^a_i, ẑ^b_j) + lambda * Omega(s, rho), with s_i = cos(z^a_i, z^b_i) and rho_i the relevance of
/// text b to text a. Source: RC³ (Findings of ACL 2023); the exact form of Omega is this library's.
/// @tparam Regularizer  regularizer::Policy: how far relevance bounds proximity
/// @tparam Relevance    relevance::Policy: how relevant two texts are to each other
/// @tparam Negatives    negatives::InBatch or negatives::SameImage (both kinds)
template <class Regularizer, class Relevance, class Negatives>
class RXvtcl : public torch::nn::Module {
  static constexpr bool regularizes = regularizer::Policy<Regularizer>;
  static constexpr bool relates = relevance::Policy<Relevance>;
  static_assert(regularizes,
                "objective::RXvtcl<Regularizer>: penalty(const regularizer::Pairs&) const must return torch::Tensor "
                "[docs/concepts/regularizer.md]");
  static_assert(relates,
                "objective::RXvtcl<Regularizer, Relevance>: score(const Batch&) must return torch::Tensor [B] "
                "[docs/concepts/relevance.md]");

 public:
  explicit RXvtcl(RXvtclOptions options = {}, Regularizer regularizer = Regularizer{}, Relevance relevance = Relevance{},
                  Negatives negatives = Negatives{})
      : options_(options),
        regularizer_(std::move(regularizer)),
        relevance_(std::move(relevance)),
        negatives_(std::move(negatives)),
        temperature_(register_module("temperature", std::make_shared<Temperature>(options.tau))) {
    require(options.lambda >= 0, "objective::RXvtcl: lambda must not be negative, is ", options.lambda);
  }

  template <class Model>
  at::Tensor loss(Pass<Model>& pass) {
    const auto a = nn::unit(pass.z_a()), b = nn::unit(pass.z_b());
    const auto contrast = (direction(a, b, negatives_.more_for_a(pass), pass.contrast()) +
                           direction(b, a, negatives_.more_for_b(pass), pass.contrast())) /
                          2;
    const regularizer::Pairs pairs{(a * b).sum(1), relevance_.score(pass.batch()).to(a.options())};
    return contrast + options_.lambda * regularizer_.penalty(pairs);
  }

  Relevance& relevance() { return relevance_; }

 private:
  /// InfoNCE of anchors @p a among @p b and, where defined, one further negative a row, @p more [B, D].
  at::Tensor direction(const at::Tensor& a, const at::Tensor& b, const at::Tensor& more, const at::Tensor& allowed) {
    const auto scaled = a * temperature_->scale();
    const auto logits = scaled.matmul(b.t());
    if (!more.defined()) return info_nce(logits, allowed);
    const auto extra = (scaled * nn::unit(more)).sum(1, /*keepdim=*/true);
    const auto present = more.detach().ne(0).any(1, /*keepdim=*/true);
    return info_nce(at::cat({logits, extra}, 1), at::cat({allowed, present}, 1));
  }

  RXvtclOptions options_;
  Regularizer regularizer_;
  Relevance relevance_;
  Negatives negatives_;
  std::shared_ptr<Temperature> temperature_;
};

}  // namespace rc3::objective
