#pragma once
/// Image-text contrastive loss with a sigmoid for each pair: no sum over the batch inside a logarithm.

#include <ATen/ops/arange.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/tensor.h>
#include <torch/nn/module.h>

#include <cmath>

#include "rc3/core/check.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/representations.hpp"

namespace rc3::objective {

/// -1/B sum_ij log sigmoid(z_ij (cos_ij / tau + bias)), z_ij = 1 for a pair and -1 for a true negative; mean over both
/// texts of each image. Other samples of one image or caption do not count.
/// Source: Zhai et al. 2023, "Sigmoid loss for language image pre-training".
class SigmoidItc : public torch::nn::Module, public ImageTextEmbeddings {
 public:
  /// @param tau   initial temperature, > 0; learned as log(1/tau), without the bound of Itc: published SigLIPs exceed
  /// it
  /// @param bias  initial bias of the logits, learned; -10 starts from "no pair", as most pairs are none
  /// @throws rc3::Error for a tau that is not above 0, or a bias that is not finite
  explicit SigmoidItc(double tau = 0.1, double bias = -10) {
    require(tau > 0 && std::isfinite(tau), "objective::SigmoidItc: tau must be above 0, is ", tau);
    require(std::isfinite(bias), "objective::SigmoidItc: bias must be finite, is ", bias);
    log_scale_ = register_parameter("log_scale", at::tensor(-std::log(tau), at::kFloat));
    bias_ = register_parameter("bias", at::tensor(bias, at::kFloat));
  }

  /// @return scalar >= 0; in a batch of one only the pair counts
  /// @throws rc3::Error for ids of another shape than [B]
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    return rows_loss(represent(forward), forward.batch(), 0, forward.batch().size());
  }

  /// Share of the images @p begin to @p end in the loss.
  /// @param r  of the whole batch, unit-norm embeddings [B, E]
  /// @return scalar >= 0
  at::Tensor rows_loss(const Representations& r, const Batch& batch, std::int64_t begin, std::int64_t end) {
    const auto rows = at::arange(begin, end, batch.device()).unsqueeze(1);
    const auto negative = true_negatives(batch, begin, end);
    const auto scale = log_scale_.exp();
    const auto terms = [&](const at::Tensor& texts) {
      const auto logits = (r.learned[image].narrow(0, begin, end - begin) * scale).matmul(texts.t()) + bias_;
      return at::log_sigmoid(logits.gather(1, rows)).sum() + at::log_sigmoid(-logits).masked_fill(~negative, 0).sum();
    };
    return -(terms(r.learned[text_a]) + terms(r.learned[text_b])) / (2.0 * static_cast<double>(batch.size()));
  }

  double scale() const { return std::exp(log_scale_.item<double>()); }  ///< 1/tau, > 0
  double bias() const { return bias_.item<double>(); }                  ///< as learned

 private:
  at::Tensor log_scale_, bias_;
};

}  // namespace rc3::objective
