#pragma once
/// The precision that losses are summed in.

#include <ATen/core/Tensor.h>

namespace rc3::nn {

/// @p x in float32 or, where it is that, in float64: half precision loses a loss's last digits.
inline at::Tensor to_float32(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

}  // namespace rc3::nn
