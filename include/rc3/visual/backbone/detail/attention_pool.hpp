#pragma once
/// Attention pooling head of SigLIP: one learned query attends to all patches.

#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>

#include "rc3/core/nn/activation.hpp"
#include "rc3/visual/backbone/detail/vision_transformer.hpp"

namespace rc3::visual::backbone::detail {

/// a = attention of the probe on the tokens; a + MLP(LayerNorm(a)). The query has no residual connection.
/// Source: Zhai et al. 2022, "Scaling vision transformers" (MAP head).
class AttentionPool : public torch::nn::Module {
 public:
  explicit AttentionPool(const VisionTransformerOptions& options)
      : heads_(options.heads), activation_(options.activation) {
    const auto d = options.width;
    probe_ = register_parameter("probe", at::randn({1, 1, d}) * 0.02);
    // Query, key and value are one matrix, as in torch.nn.MultiheadAttention.
    in_weight_ = register_parameter("in_projection_weight", at::randn({3 * d, d}) / std::sqrt(static_cast<double>(d)));
    in_bias_ = register_parameter("in_projection_bias", at::zeros({3 * d}));
    out_ = register_module("out_projection", torch::nn::Linear(d, d));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(options.norm_eps)));
    inner_ = register_module("inner", torch::nn::Linear(d, options.feed_forward));
    output_ = register_module("output", torch::nn::Linear(options.feed_forward, d));
  }

  /// @param x  float [B, P, D]. @return float [B, D]
  at::Tensor forward(const at::Tensor& x) {
    const auto b = x.size(0), d = x.size(2);
    const auto split = [&](const at::Tensor& t) {
      return t.reshape({t.size(0), -1, heads_, d / heads_}).transpose(1, 2);
    };
    const auto query = at::linear(probe_, in_weight_.slice(0, 0, d), in_bias_.slice(0, 0, d)).expand({b, 1, d});
    const auto both = at::linear(x, in_weight_.slice(0, d), in_bias_.slice(0, d)).chunk(2, 2);
    const auto mixed = at::scaled_dot_product_attention(split(query), split(both[0]), split(both[1]));
    const auto a = out_->forward(mixed.transpose(1, 2).reshape({b, d}));
    return a + output_->forward(nn::activate(activation_, inner_->forward(norm_->forward(a))));
  }

 private:
  std::int64_t heads_;
  nn::Activation activation_;
  at::Tensor probe_, in_weight_, in_bias_;
  torch::nn::Linear out_{nullptr}, inner_{nullptr}, output_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace rc3::visual::backbone::detail
