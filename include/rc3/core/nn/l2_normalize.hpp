#pragma once
/// L2 normalisation that is safe for zero vectors.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>

#include "rc3/core/nn/to_float32.hpp"

namespace rc3::nn {

/// x / max(|x|, 1e-12) along the last axis, in float32 or wider. A zero vector stays zero and its gradient is finite.
/// @param x  floating [..., D]
inline at::Tensor l2_normalize(const at::Tensor& x) {
  const auto precise = to_float32(x);
  return precise / at::linalg_vector_norm(precise, 2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace rc3::nn
