#pragma once
/// Layer of a transformer decoder, for whole sequences or token by token.

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "rc3/core/check.hpp"
#include "rc3/core/nn/activated_linear.hpp"
#include "rc3/core/nn/attention.hpp"
#include "rc3/core/nn/linear.hpp"

namespace rc3::nn {

/// Sizes of a decoder layer.
struct DecoderLayerOptions {
  std::int64_t width = 384;         ///< D, > 0
  std::int64_t heads = 6;           ///< H, divides D
  std::int64_t feed_forward = 768;  ///< inner width, > 0
  double dropout = 0.1;             ///< in training, probability in [0, 1)
  double norm_eps = 1e-6;           ///< added to the variance, > 0
};

/// Cached keys and values of a layer: of earlier tokens, and of the memory.
struct LayerCache {
  at::Tensor key, value;                ///< float [B, H, T, D/H], of the T earlier tokens; undefined: none
  at::Tensor memory_key, memory_value;  ///< float [B, H, M, D/H]; undefined: not computed yet
};

/// Causal self-attention, cross-attention to a memory and a GELU feed-forward block, each pre-norm and with a residual
/// connection. Source: Vaswani et al. 2017, with the norms before the blocks (Xiong et al. 2020).
class DecoderLayer : public torch::nn::Module {
 public:
  /// @throws rc3::Error unless `heads` divides `width`
  explicit DecoderLayer(DecoderLayerOptions options) : options_(options) {
    const auto d = options.width;
    require(d > 0 && options.heads > 0 && d % options.heads == 0, "nn::DecoderLayer: width ", d,
            " is not a multiple of heads ", options.heads);
    const auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
      return register_module(name, torch::nn::Linear(in, out));
    };
    const auto norm = [&](const char* name) {
      return register_module(name, torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(options.norm_eps)));
    };
    query_ = linear("query", d, d), key_ = linear("key", d, d), value_ = linear("value", d, d);
    output_ = linear("output", d, d), norm_ = norm("norm");
    cross_query_ = linear("cross_query", d, d), cross_key_ = linear("cross_key", d, d);
    cross_value_ = linear("cross_value", d, d), cross_output_ = linear("cross_output", d, d);
    cross_norm_ = norm("cross_norm");
    inner_ = linear("inner", d, options.feed_forward), outer_ = linear("outer", options.feed_forward, d);
    outer_norm_ = norm("outer_norm");
  }

  /// @param x            float [B, T, D], the tokens after those in @p cache
  /// @param memory       float [B, M, D]
  /// @param memory_mask  bool [B, 1, 1, M], true for a token; at least one per row
  /// @param cache        read and extended; null: x is the whole sequence
  /// @return float [B, T, D]; position t depends on the tokens up to t only
  at::Tensor forward(const at::Tensor& x, const at::Tensor& memory, const at::Tensor& memory_mask, LayerCache* cache) {
    const auto n = norm_->forward(x);
    auto key = split(key_, n), value = split(value_, n);
    if (cache != nullptr) {
      if (cache->key.defined()) {
        key = at::cat({cache->key, key}, 2);
        value = at::cat({cache->value, value}, 2);
      }
      cache->key = key;
      cache->value = value;
    }
    const auto seen = key.size(2), now = x.size(1);
    const auto causal = at::ones({now, seen}, x.options().dtype(at::kBool)).tril(seen - now);
    auto h = x + drop(linear(output_, attend(split(query_, n), key, value, causal)));

    const auto m = cross_norm_->forward(h);
    at::Tensor memory_key, memory_value;
    if (cache != nullptr && cache->memory_key.defined()) {
      memory_key = cache->memory_key;
      memory_value = cache->memory_value;
    } else {
      memory_key = split(cross_key_, memory);
      memory_value = split(cross_value_, memory);
      if (cache != nullptr) cache->memory_key = memory_key, cache->memory_value = memory_value;
    }
    h = h + drop(linear(cross_output_, attend(split(cross_query_, m), memory_key, memory_value, memory_mask)));
    return h + drop(activated_linear(outer_, Activation::gelu, linear(inner_, outer_norm_->forward(h))));
  }

 private:
  at::Tensor split(const torch::nn::Linear& layer, const at::Tensor& x) {
    return linear(layer, x).view({x.size(0), x.size(1), options_.heads, -1}).transpose(1, 2);
  }
  at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const at::Tensor& mask) {
    const auto mixed = attention(query, key, value, mask, is_training() ? options_.dropout : 0.0);
    return mixed.transpose(1, 2).reshape({query.size(0), query.size(2), options_.width});
  }
  at::Tensor drop(const at::Tensor& x) const { return nn::dropout(x, options_.dropout, is_training()); }

  DecoderLayerOptions options_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, output_{nullptr};
  torch::nn::Linear cross_query_{nullptr}, cross_key_{nullptr}, cross_value_{nullptr}, cross_output_{nullptr};
  torch::nn::Linear inner_{nullptr}, outer_{nullptr};
  torch::nn::LayerNorm norm_{nullptr}, cross_norm_{nullptr}, outer_norm_{nullptr};
};

}  // namespace rc3::nn
