#pragma once
/// Linear layer on inputs of any number of dimensions, at full speed.

#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

#include <array>

#include "rc3/core/nn/packed_weights.hpp"

namespace rc3::nn {

/// W x + b over the last dimension. Equal to @p layer's forward(). For three-dimensional @p x, forward() in LibTorch
/// 2.13's C++ adds the bias in a separate pass, which under bfloat16 autocast takes longer than the product. There and
/// in 8 bits, without gradient, weights are packed once, see PackedWeights.
/// @param x  float [..., in]  @return float [..., out]
inline at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  const auto form = PackedWeights::form(layer->weight, x);
  if (form == PackedWeights::Form::plain) return at::linear(x, layer->weight, layer->bias);
  return PackedWeights::instance().linear(form, {{layer->weight, layer->bias}}, x);
}

/// linear() of three layers of one input, such as query, key and value: a single product where weights are packed.
/// @param x  float [..., in]  @return float [..., out] of each
inline std::array<at::Tensor, 3> linear(const torch::nn::Linear& a, const torch::nn::Linear& b,
                                        const torch::nn::Linear& c, const at::Tensor& x) {
  const auto form = PackedWeights::form(a->weight, x);
  if (form == PackedWeights::Form::plain || PackedWeights::form(b->weight, x) != form ||
      PackedWeights::form(c->weight, x) != form)
    return {linear(a, x), linear(b, x), linear(c, x)};
  const auto all =
      PackedWeights::instance().linear(form, {{a->weight, a->bias}, {b->weight, b->bias}, {c->weight, c->bias}}, x);
  const auto first = a->weight.size(0), second = b->weight.size(0);
  return {all.narrow(-1, 0, first), all.narrow(-1, first, second), all.narrow(-1, first + second, c->weight.size(0))};
}

}  // namespace rc3::nn
