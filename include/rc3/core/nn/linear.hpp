#pragma once
/// Linear layer on inputs of any number of dimensions, at full speed.

#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

#include "rc3/core/nn/packed_weights.hpp"

namespace rc3::nn {

/// W x + b over the last dimension. Equal to @p layer's forward(). For three-dimensional @p x, forward() in LibTorch
/// 2.13's C++ adds the bias in a separate pass, which under bfloat16 autocast takes longer than the product. There,
/// without gradient, weights are packed once, see PackedWeights.
/// @param x  float [..., in]  @return float [..., out]
inline at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  if (PackedWeights::serve(layer->weight, x)) return PackedWeights::instance().linear(layer->weight, layer->bias, x);
  return at::linear(x, layer->weight, layer->bias);
}

/// @p x as linear(@p layer, x) reads it: cast here, for several layers of one input, and not by each of them.
/// @param x  float [..., in]  @return [..., in], bfloat16 where weights are packed
inline at::Tensor input_of(const torch::nn::Linear& layer, const at::Tensor& x) {
  return PackedWeights::serve(layer->weight, x) ? x.to(at::kBFloat16) : x;
}

}  // namespace rc3::nn
