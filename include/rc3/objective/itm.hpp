#pragma once
/// Image-text matching with hard negatives.

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/nn/module.h>

#include <limits>

#include "rc3/core/nn/to_float32.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"

namespace rc3::objective {

/// How Itm draws its negatives.
struct ItmOptions {
  double hardness = 20.0;  ///< negatives are drawn in proportion to exp(hardness * cosine), >= 0; 0: uniformly
};

/// Binary cross-entropy on itm_logits(z): each image with its text (1), with another text (0), and each text with
/// another image (0). Negatives are drawn in proportion to their ITC similarity, never with the sample's own image or
/// an equal caption. Source: ALBEF (Li et al. 2021).
class Itm : public torch::nn::Module {
 public:
  explicit Itm(ItmOptions options = {}) : options_(options) {}

  /// @return scalar; without any possible negative (a batch of one) only the matched pairs count
  /// @throws rc3::Error for ids of another shape than [B]
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    const auto matched = forward.model().itm_logits(forward.z_a());
    const auto negatives = true_negatives(forward.batch());
    const auto rows = negatives.any(1).nonzero().squeeze(1);
    if (rows.numel() == 0) return bce(matched, at::ones_like(matched));

    const auto similarity = forward.image_embeddings().detach().matmul(forward.text_a_embeddings().detach().t());
    const auto other_text = draw(similarity, negatives, rows);
    const auto other_image = draw(similarity.t(), negatives, rows);
    const auto with = [&](const at::Tensor& images, const at::Tensor& texts) {
      return forward.model().itm_logits(
          forward.model().fuse(forward.visual().select(images), forward.text_a().select(texts)));
    };
    const auto mismatched = at::cat({with(rows, other_text), with(other_image, rows)}, 0);
    return (bce(matched, at::ones_like(matched)) + bce(mismatched, at::zeros_like(mismatched))) / 2;
  }

 private:
  static at::Tensor bce(const at::Tensor& logits, const at::Tensor& target) {
    return at::binary_cross_entropy_with_logits(nn::to_float32(logits), nn::to_float32(target));
  }

  /// One column for each of @p rows with negatives[row][column], drawn in proportion to exp(hardness * similarity). A
  /// row that is not finite is drawn uniformly: its loss is not finite either, and the trainer skips the step.
  at::Tensor draw(const at::Tensor& similarity, const at::Tensor& negatives, const at::Tensor& rows) const {
    const auto scores =
        (similarity * options_.hardness).masked_fill(~negatives, -std::numeric_limits<double>::infinity());
    const auto likely = scores.index_select(0, rows).softmax(1);
    return at::multinomial(at::where(likely.isfinite(), likely, negatives.index_select(0, rows).to(likely.dtype())), 1)
        .squeeze(1);
  }

  ItmOptions options_;
};

}  // namespace rc3::objective
