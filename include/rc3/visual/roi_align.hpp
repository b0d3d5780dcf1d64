#pragma once
/// RoIAlign by grid_sample, without libraries beside LibTorch.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/stack.h>

#include "rc3/core/check.hpp"

namespace rc3::visual {

/// Mean of bilinear samples of a feature map inside each box.
/// Source: He et al. 2017 (Mask R-CNN), in its "aligned" form: pixel centres are at half-integers. Samples outside the
/// map take the value at its border.
/// @param map    float [B, C, h, w]
/// @param boxes  float [B, R, 4], x1 y1 x2 y2 in pixels of the image
/// @param sizes  float [B, 2], width and height of the image, pixels
/// @param grid   samples along each side of a box, >= 1
/// @return float [B, R, C]
/// @throws rc3::Error for a map or boxes of another shape
inline at::Tensor roi_align(const at::Tensor& map, const at::Tensor& boxes, const at::Tensor& sizes,
                            std::int64_t grid = 4) {
  check_shape("visual::roi_align", "map", map, {{'B'}, {'C'}, {'h'}, {'w'}});
  check_shape("visual::roi_align", "boxes", boxes, {{'B', map.size(0)}, {'R'}, {'4', 4}});
  const auto b = boxes.size(0), r = boxes.size(1);
  const auto scaled = boxes / at::cat({sizes, sizes}, 1).unsqueeze(1);  // relative to the image, 0..1
  const auto steps = (at::arange(grid, map.options()) + 0.5) / static_cast<double>(grid);
  const auto along = [&](int from, int to) {  // [B, R, grid], in grid_sample's -1..1
    const auto low = scaled.select(2, from).unsqueeze(2), high = scaled.select(2, to).unsqueeze(2);
    return (low + (high - low) * steps) * 2 - 1;
  };
  const auto x = along(0, 2).unsqueeze(2).expand({b, r, grid, grid});
  const auto y = along(1, 3).unsqueeze(3).expand({b, r, grid, grid});
  // A box outside the region mask is arbitrary, and grid_sample reads invalid memory at a NaN coordinate.
  const auto where = at::stack({x, y}, 4).reshape({b, r * grid, grid, 2}).nan_to_num(0).clamp(-1, 1);
  constexpr std::int64_t bilinear = 0, border = 1;
  const auto samples = at::grid_sampler_2d(map, where.to(map.scalar_type()), bilinear, border, /*align_corners=*/false);
  return samples.view({b, map.size(1), r, grid * grid}).mean(3).transpose(1, 2);
}

}  // namespace rc3::visual
