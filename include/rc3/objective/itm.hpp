#pragma once
/// Image-text matching with hard negatives.

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/multinomial.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/nn/module.h>

#include <limits>

#include "rc3/core/nn/wide.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/pass.hpp"

namespace rc3::objective {

struct ItmOptions {
  double hardness = 20.0;  ///< negatives are drawn in proportion to exp(hardness * cosine), >= 0; 0: uniformly
};

/// Binary cross-entropy on match_score(z): each picture with its text (1), with another text, and each text with
/// another picture (0). Negatives are drawn in proportion to their ITC similarity, never the sample's own picture or an
/// equal caption. Source: ALBEF (Li et al. 2021).
class Itm : public torch::nn::Module {
 public:
  explicit Itm(ItmOptions options = {}) : options_(options) {}

  /// @return scalar; without any possible negative (a batch of one) only the matched pairs count
  template <class Model>
  at::Tensor loss(Pass<Model>& pass) {
    const auto matched = pass.model().match_score(pass.z_a());
    const auto negatives = true_negatives(pass.batch());
    const auto rows = negatives.any(1).nonzero().squeeze(1);
    if (rows.numel() == 0) return bce(matched, at::ones_like(matched));

    const auto similarity = pass.picture_vectors().detach().matmul(pass.text_a_vectors().detach().t());
    const auto other_text = draw(similarity, negatives, rows);
    const auto other_picture = draw(similarity.t(), negatives, rows);
    const auto with = [&](const at::Tensor& pictures, const at::Tensor& texts) {
      return pass.model().match_score(pass.model().fuse(pass.visual().select(pictures), pass.text_a().select(texts)));
    };
    const auto mismatched = at::cat({with(rows, other_text), with(other_picture, rows)}, 0);
    return (bce(matched, at::ones_like(matched)) + bce(mismatched, at::zeros_like(mismatched))) / 2;
  }

 private:
  static at::Tensor bce(const at::Tensor& logits, const at::Tensor& target) {
    return at::binary_cross_entropy_with_logits(nn::wide(logits), nn::wide(target));
  }

  /// For each of @p rows one column with negatives[row][column], in proportion to exp(hardness * similarity).
  at::Tensor draw(const at::Tensor& similarity, const at::Tensor& negatives, const at::Tensor& rows) const {
    const auto scores =
        (similarity * options_.hardness).masked_fill(~negatives, -std::numeric_limits<double>::infinity());
    return at::multinomial(scores.index_select(0, rows).softmax(1), 1).squeeze(1);
  }

  ItmOptions options_;
};

}  // namespace rc3::objective
