#pragma once
/// Removal of alpha: an image on a background.

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "rc3/io/image/concept.hpp"

namespace rc3::io {

/// 8-bit red, green, blue.
using Rgb = std::array<std::uint8_t, 3>;

inline constexpr Rgb white = {255, 255, 255};

/// @p image on @p background: round((alpha colour + (255 - alpha) background) / 255), then alpha 255. Equal to Pillow's
///         alpha_composite on an opaque image of the background.
inline Image flatten(Image image, const Rgb& background) {
  for (std::size_t i = 0; i + 4 <= image.rgba.size(); i += 4) {
    const unsigned alpha = image.rgba[i + 3];
    if (alpha == 255) continue;
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned sum = alpha * image.rgba[i + c] + (255 - alpha) * background[c] + 128;
      image.rgba[i + c] = static_cast<std::uint8_t>((sum + (sum >> 8)) >> 8);  // sum / 255, exactly rounded
    }
    image.rgba[i + 3] = 255;
  }
  return image;
}

}  // namespace rc3::io
