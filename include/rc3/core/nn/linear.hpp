#pragma once
/// Linear layer on inputs of any number of dimensions, at full speed.

#include <ATen/ops/linear.h>
#include <torch/nn/modules/linear.h>

namespace rc3::nn {

/// W x + b over the last dimension. Equal to @p layer's forward(). For three-dimensional @p x, forward() in LibTorch
/// 2.13's C++ adds the bias in a separate pass, which under bfloat16 autocast takes longer than the product.
/// @param x  float [..., in]  @return float [..., out]
inline at::Tensor linear(const torch::nn::Linear& layer, const at::Tensor& x) {
  return at::linear(x, layer->weight, layer->bias);
}

}  // namespace rc3::nn
