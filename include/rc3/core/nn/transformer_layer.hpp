#pragma once
/// Transformer layer with pre-norm or post-norm, for BERT, XLM-R, ViT, CLIP, SigLIP and the fusion encoders.

#include <c10/core/GradMode.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <type_traits>

#include "rc3/core/check.hpp"
#include "rc3/core/nn/activated_linear.hpp"
#include "rc3/core/nn/activation.hpp"
#include "rc3/core/nn/attention.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/linear.hpp"
#include "rc3/core/nn/packing.hpp"

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
    return blocks(x, all, [&](const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
      return mix(query, key, value, mask);
    });
  }

  /// The same for the tokens of a packed batch, without dropout of attention.
  /// @param x  float [T, D]  @return float [T, D]
  at::Tensor forward(const at::Tensor& x, const Packing& packing) {
    return blocks(x, all, [&](const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
      return packing.attention(query, key, value, options_.heads);
    });
  }

  /// forward() of the first token, at a fraction of its cost.
  /// @param x, mask  as forward() takes them, the mask with one row  @return float [B, D]
  at::Tensor forward_first(const at::Tensor& x, const at::Tensor& mask) {
    return blocks(
        x, [](const at::Tensor& t) { return t.select(1, 0); },
        [&](const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
          return mix(query.unsqueeze(1), key, value, mask).squeeze(1);
        });
  }

  /// forward() of each sequence's first token.
  /// @param x  float [T, D]  @return float [B, D]
  at::Tensor forward_first(const at::Tensor& x, const Packing& packing) {
    return blocks(
        x, [&](const at::Tensor& t) { return packing.first(t); },
        [&](const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
          return mix(query.unsqueeze(1), packing.unpack(key), packing.unpack(value), packing.columns()).squeeze(1);
        });
  }

 private:
  static const at::Tensor& all(const at::Tensor& x) { return x; }

  /// @param own        rows of the input that are computed, called as own(x): `all` or the first of each sequence
  /// @param attention  called as attention(query, key, value), with a query for each row of own(x)
  template <class Own, class Attention>
  at::Tensor blocks(const at::Tensor& x, const Own& own, const Attention& attention) {
    if (options_.norm == Norm::pre) {
      const auto h = plus(attend(attention_norm_->forward(x), own, attention), own(x));
      return plus(feed_forward(output_norm_->forward(h)), h);
    }
    const auto h = attention_norm_->forward(plus(attend(x, own, attention), own(x)));
    return output_norm_->forward(plus(feed_forward(h), h));
  }

  template <class Own, class Attention>
  at::Tensor attend(const at::Tensor& x, const Own& own, const Attention& attention) {
    if constexpr (std::is_same_v<Own, decltype(all)>) {
      const auto [query, key, value] = linear(query_, key_, value_, x);
      return drop(linear(attention_output_, attention(query, key, value)));
    } else {
      return drop(linear(attention_output_, attention(linear(query_, own(x)), linear(key_, x), linear(value_, x))));
    }
  }

  /// Attention of several heads. @param query  float [B, Q, D]  @param key, value  float [B, N, D]
  at::Tensor mix(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                 const at::Tensor& mask) const {
    const auto split = [&](const at::Tensor& t) {
      return t.view({t.size(0), t.size(1), options_.heads, -1}).transpose(1, 2);
    };
    return nn::attention(split(query), split(key), split(value), mask, is_training() ? options_.dropout : 0.0)
        .transpose(1, 2)
        .reshape(query.sizes());
  }

  at::Tensor feed_forward(const at::Tensor& x) {
    return drop(activated_linear(output_, options_.activation, linear(inner_, x)));
  }

  at::Tensor drop(const at::Tensor& x) const { return nn::dropout(x, options_.dropout, is_training()); }

  /// Sum; without gradient it takes the memory of @p block, which nothing else reads.
  static at::Tensor plus(at::Tensor block, const at::Tensor& x) {
    const bool free = !at::GradMode::is_enabled() && block.scalar_type() == x.scalar_type();
    return free ? block.add_(x) : x + block;
  }

  TransformerLayerOptions options_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, attention_output_{nullptr};
  torch::nn::Linear inner_{nullptr}, output_{nullptr};
  torch::nn::LayerNorm attention_norm_{nullptr}, output_norm_{nullptr};
};

}  // namespace rc3::nn
