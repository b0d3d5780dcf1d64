#pragma once
/// Masked-language-model head.

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "rc3/core/check.hpp"

namespace rc3::text {

/// logits = LayerNorm(gelu(W x + c)) E^T + b, where E is the encoder's word embedding, so the head has no matrix of K
/// rows. Source: Devlin et al. 2019; `XLMRobertaLMHead` of transformers.
class MlmHead : public torch::nn::Module {
 public:
  /// @param width       D, > 0
  /// @param vocabulary  K, > 0
  /// @param norm_eps    added to the variance, > 0
  MlmHead(std::int64_t width, std::int64_t vocabulary, double norm_eps)
      : dense_(register_module("dense", torch::nn::Linear(width, width))),
        norm_(register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(norm_eps)))),
        bias_(register_parameter("bias", at::zeros({vocabulary}))) {}

  /// @param tokens          float [..., D]; for training only the masked positions [n, D], since K is large
  /// @param word_embedding  float [K, D], the encoder's
  /// @return float [..., K]
  /// @throws rc3::Error for another shape
  at::Tensor forward(const at::Tensor& tokens, const at::Tensor& word_embedding) {
    const auto d = dense_->options.in_features();
    check_shape("text::MlmHead", "word_embedding", word_embedding, {{'K', bias_.size(0)}, {'D', d}});
    require(tokens.defined() && tokens.dim() >= 1 && tokens.size(-1) == d, "text::MlmHead: tokens must be [..., D=", d,
            "]");
    return at::linear(norm_->forward(at::gelu(dense_->forward(tokens))), word_embedding, bias_);
  }

 private:
  torch::nn::Linear dense_;
  torch::nn::LayerNorm norm_;
  at::Tensor bias_;
};

}  // namespace rc3::text
