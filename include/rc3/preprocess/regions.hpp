#pragma once
/// Regions of one image. LibTorch-free.

#include <array>
#include <cstddef>
#include <vector>

namespace rc3::preprocess {

/// x1 y1 x2 y2 in pixels, 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height.
using Box = std::array<float, 4>;

/// Detected regions of an image.
struct Regions {
  float width = 0;              ///< width of the boxes' image, pixels
  float height = 0;             ///< pixels
  std::vector<Box> boxes;       ///< R of them
  std::vector<float> features;  ///< [R, F], row by row; empty: none
  std::vector<float> classes;   ///< [R, C], probabilities, rows of sum 1; empty: none

  std::size_t size() const { return boxes.size(); }
};

}  // namespace rc3::preprocess
