#pragma once
/// A drawn picture with what is known about it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "rc3/io/image/concept.hpp"

namespace rc3::data::emoji {

/// Pixels, and where each object is.
struct Picture {
  int width = 0;                            ///< pixels
  int height = 0;                           ///< pixels
  std::vector<std::uint8_t> rgb;            ///< height x width x 3, interleaved
  std::vector<std::array<float, 4>> boxes;  ///< x1 y1 x2 y2 of each object's visible pixels, 0 <= x1 < x2 <= width
  std::vector<std::size_t> objects;         ///< glyph index of each box
};

/// The same pixels as what a Sample or a View holds, all of them opaque.
inline io::Image with_alpha(const Picture& picture) {
  io::Image image{picture.width, picture.height, {}};
  image.rgba.reserve(picture.rgb.size() / 3 * 4);
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3)
    image.rgba.insert(image.rgba.end(), {picture.rgb[i], picture.rgb[i + 1], picture.rgb[i + 2], 255});
  return image;
}

}  // namespace rc3::data::emoji
