#pragma once
/// Scaled dot-product attention.

#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <optional>

#include "rc3/core/nn/dropout.hpp"

namespace rc3::nn {

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
  return at::matmul(nn::dropout(at::softmax(scores, 3), dropout, true), value);
}

}  // namespace rc3::nn
