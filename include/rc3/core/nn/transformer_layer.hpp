#pragma once
/// Transformer layer with pre-norm or post-norm, for BERT, XLM-R, ViT, CLIP, SigLIP and the fusion encoders.

#include <ATen/ops/dropout.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <optional>

#include "rc3/core/check.hpp"
#include "rc3/core/nn/activation.hpp"
#include "rc3/core/nn/linear.hpp"

namespace rc3::nn {

/// Position of the normalisation: after the residual sum (BERT, XLM-R) or before each block (ViT, and training from
/// scratch without warm-up).
enum class Norm { post, pre };

/// Sizes of an encoder layer.
struct TransformerLayerOptions {
  std::int64_t width = 384;                  ///< D, > 0
  std::int64_t heads = 6;                    ///< H, divides D
  std::int64_t feed_forward = 1536;          ///< inner width, > 0
  double dropout = 0.1;                      ///< probability in [0, 1)
  double norm_eps = 1e-12;                   ///< added to the variance, > 0
  Norm norm = Norm::post;                    ///< post as in BERT; pre as in ViT
  Activation activation = Activation::gelu;  ///< of the feed-forward block
};

/// Multi-head self-attention and a feed-forward block, each with a residual connection.
/// Source: Vaswani et al., "Attention is all you need", 2017.
class TransformerLayer : public torch::nn::Module {
 public:
  /// @throws rc3::Error unless `heads` divides `width`
  explicit TransformerLayer(TransformerLayerOptions options) : options_(options) {
    const auto d = options.width;
    require(d > 0 && options.heads > 0 && d % options.heads == 0, "nn::TransformerLayer: width ", d,
            " is not a multiple of heads ", options.heads);
    const auto norm = torch::nn::LayerNormOptions({d}).eps(options.norm_eps);
    query_ = register_module("query", torch::nn::Linear(d, d));
    key_ = register_module("key", torch::nn::Linear(d, d));
    value_ = register_module("value", torch::nn::Linear(d, d));
    attention_output_ = register_module("attention_output", torch::nn::Linear(d, d));
    attention_norm_ = register_module("attention_norm", torch::nn::LayerNorm(norm));
    inner_ = register_module("inner", torch::nn::Linear(d, options.feed_forward));
    output_ = register_module("output", torch::nn::Linear(options.feed_forward, d));
    output_norm_ = register_module("output_norm", torch::nn::LayerNorm(norm));
  }

  /// @param x     float [B, N, D]
  /// @param mask  bool [B, 1, 1, N], or [B, 1, N, N] with a row for each token: true for a token that may be attended
  ///              to, at least one per row; undefined: all true
  /// @return float [B, N, D]
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask) {
    if (options_.norm == Norm::pre) {
      const auto h = x + attend(attention_norm_->forward(x), mask);
      return h + feed_forward(output_norm_->forward(h));
    }
    const auto h = attention_norm_->forward(x + attend(x, mask));
    return output_norm_->forward(h + feed_forward(h));
  }

 private:
  at::Tensor attend(const at::Tensor& x, const at::Tensor& mask) {
    const auto b = x.size(0), n = x.size(1), h = options_.heads;
    const auto in = input_of(query_, x);
    const auto split = [&](const torch::nn::Linear& layer) {
      return linear(layer, in).view({b, n, h, -1}).transpose(1, 2);
    };
    const auto where = mask.defined() ? std::optional(mask) : std::nullopt;
    const auto mixed = at::scaled_dot_product_attention(split(query_), split(key_), split(value_), where,
                                                        is_training() ? options_.dropout : 0.0);
    return drop(linear(attention_output_, mixed.transpose(1, 2).reshape({b, n, -1})));
  }

  at::Tensor feed_forward(const at::Tensor& x) {
    return drop(linear(output_, activate(options_.activation, linear(inner_, x))));
  }

  at::Tensor drop(const at::Tensor& x) const { return at::dropout(x, options_.dropout, is_training()); }

  TransformerLayerOptions options_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, attention_output_{nullptr};
  torch::nn::Linear inner_{nullptr}, output_{nullptr};
  torch::nn::LayerNorm attention_norm_{nullptr}, output_norm_{nullptr};
};

}  // namespace rc3::nn
