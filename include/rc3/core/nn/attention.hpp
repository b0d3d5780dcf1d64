#pragma once
/// Scaled dot-product attention.

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <optional>

#include "rc3/core/nn/dropout.hpp"

namespace rc3::nn {

namespace detail {

/// Product of dropped weights and values. The backward pass drops them again: only the weights are kept, which
/// softmax keeps too.
struct DropoutMatmul : torch::autograd::Function<DropoutMatmul> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& weights,
                            const at::Tensor& value, double p, std::int64_t seed) {
    context->save_for_backward({weights, value});
    context->saved_data["p"] = p;
    context->saved_data["seed"] = seed;
    return at::matmul(Dropout::run(weights, p, seed).to(value.scalar_type()), value);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &weights = saved[0], &value = saved[1], &gradient = gradients[0];
    const auto drop = [&](const at::Tensor& x) {
      return Dropout::run(x, context->saved_data["p"].toDouble(), context->saved_data["seed"].toInt());
    };
    const auto of_value = at::matmul(drop(weights).to(gradient.scalar_type()).transpose(2, 3), gradient);
    const auto of_weights = drop(at::matmul(gradient, value.to(gradient.scalar_type()).transpose(2, 3)));
    return {of_weights.to(weights.scalar_type()), of_value.to(value.scalar_type()), {}, {}};
  }
};

}  // namespace detail

/// Mean of values, weighted by softmax(query key^T / sqrt(D)). Source: Vaswani et al. 2017.
/// @param query    float [B, H, Q, D]
/// @param key      float [B, H, N, D]
/// @param value    float [B, H, N, D]
/// @param mask     bool that expands to [B, H, Q, N], true for a token that may be attended to, at least one per row;
///                 undefined: all true
/// @param dropout  of the weights, in [0, 1); 0 outside training
/// @return float [B, H, Q, D]
inline at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            const at::Tensor& mask, double dropout) {
  if (dropout == 0 || !query.device().is_cpu())
    return at::scaled_dot_product_attention(query, key, value, mask.defined() ? std::optional(mask) : std::nullopt,
                                            dropout);
  // With dropout LibTorch has no fused kernel on the CPU. Its steps take more passes than these.
  auto scores = at::matmul(query * (1 / std::sqrt(static_cast<double>(query.size(3)))), key.transpose(2, 3));
  if (mask.defined())
    scores = scores.add_(at::zeros(mask.sizes(), scores.options().requires_grad(false))
                             .masked_fill_(mask.logical_not(), -std::numeric_limits<double>::infinity()));
  const auto weights = at::softmax(scores, 3);
  using detail::Dropout;
  return Dropout::supports(weights, dropout)
             ? detail::DropoutMatmul::apply(weights, value, dropout, Dropout::draw_seed())
             : at::matmul(at::dropout(weights, dropout, true), value);
}

}  // namespace rc3::nn
