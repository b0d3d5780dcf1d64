#pragma once
/// Precision of loss computations.

#include <ATen/core/Tensor.h>

namespace rc3::nn {

/// @p x in float32 (float64 stays): half precision loses the last digits of a loss.
/// @param x  floating-point, any shape
inline at::Tensor to_float32(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

}  // namespace rc3::nn
