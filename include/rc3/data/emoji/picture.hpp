#pragma once
/// A drawn picture with what is known about it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rc3::data::emoji {

/// Pixels, and where each object is.
struct Picture {
  int width = 0;                            ///< pixels
  int height = 0;                           ///< pixels
  std::vector<std::uint8_t> rgb;            ///< height x width x 3, interleaved
  std::vector<std::array<float, 4>> boxes;  ///< x1 y1 x2 y2 of each object's visible pixels, 0 <= x1 < x2 <= width
  std::vector<std::size_t> objects;         ///< glyph index of each box
};

}  // namespace rc3::data::emoji
