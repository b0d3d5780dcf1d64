#pragma once
/// A linear layer on inputs of any number of dimensions, at full speed.

#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

namespace rc3::nn {

/// W x + b over the last dimension. The same as @p layer's forward(), which in LibTorch 2.13's C++ adds the bias in a
/// pass of its own when @p x has three dimensions: under bfloat16 autocast that takes longer than the product.
/// @param x  float [..., in]  @return float [..., out]
inline at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  return at::linear(x, layer->weight, layer->bias);
}

}  // namespace rc3::nn
