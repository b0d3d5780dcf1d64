#pragma once
/// Summary of a feature map, from which images and regions are embedded.

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

namespace rc3::visual {

/// Mean and maximum of each channel over all cells. @param map  float [B, C, h, w]  @return float [B, 2C]
inline at::Tensor summary_of(const at::Tensor& map) { return at::cat({map.mean({2, 3}), map.amax({2, 3})}, 1); }

}  // namespace rc3::visual
