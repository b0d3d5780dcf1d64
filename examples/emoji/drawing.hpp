#pragma once
/// A drawn image with what is known about it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emoji/names.hpp"
#include "rc3/io/image/concept.hpp"

namespace emoji {

/// Pixels, and where each object is.
struct Drawing {
  int width = 0;                            ///< pixels
  int height = 0;                           ///< pixels
  std::vector<std::uint8_t> rgb;            ///< height x width x 3, interleaved
  std::vector<std::array<float, 4>> boxes;  ///< x1 y1 x2 y2 of each object's visible pixels, 0 <= x1 < x2 <= width
  std::vector<std::size_t> objects;         ///< glyph index of each box
};

/// The same pixels as what a Sample or a View holds, all of them opaque.
inline io::Image with_alpha(const Drawing& drawing) {
  io::Image image{drawing.width, drawing.height, {}};
  image.rgba.reserve(drawing.rgb.size() / 3 * 4);
  for (std::size_t i = 0; i < drawing.rgb.size(); i += 3)
    image.rgba.insert(image.rgba.end(), {drawing.rgb[i], drawing.rgb[i + 1], drawing.rgb[i + 2], 255});
  return image;
}

}  // namespace emoji
