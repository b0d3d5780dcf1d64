#pragma once
/// EXIF orientation of an image.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "rc3/io/image/concept.hpp"

namespace rc3::io {

/// Orientation, 1..8, in the first directory of @p tiff, the EXIF block; 1 if absent.
///
/// Damaged EXIF data also give 1, without an error: many cameras and editors write them, and the image may be intact.
/// Reads at most 65535 entries of 12 bytes, all inside @p tiff.
inline int exif_orientation(std::string_view tiff) {
  const bool little = tiff.starts_with(std::string_view("II*\0", 4));
  if (!little && !tiff.starts_with(std::string_view("MM\0*", 4))) return 1;
  const auto number = [&](std::size_t at, std::size_t size) {  // @pre at + size <= tiff.size()
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<unsigned char>(tiff[at + (little ? size - 1 - i : i)]);
    return value;
  };
  if (tiff.size() < 8) return 1;
  const std::size_t directory = number(4, 4);
  if (directory + 2 > tiff.size()) return 1;
  const std::size_t count = number(directory, 2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 1;
    constexpr std::uint32_t orientation = 0x0112, u16 = 3;
    if (number(entry, 2) != orientation) continue;
    const std::uint32_t value = number(entry + 8, 2);
    const bool right = number(entry + 2, 2) == u16 && number(entry + 4, 4) == 1 && value >= 1 && value <= 8;
    return right ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// Image rotated and mirrored by an EXIF orientation; sides are swapped for 5..8.
/// @param orientation  1..8; other values mean 1
inline Image upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool swapped = orientation >= 5;
  const int right = image.width - 1, bottom = image.height - 1;
  Image out{swapped ? image.height : image.width, swapped ? image.width : image.height, {}};
  out.rgba.resize(image.rgba.size());
  auto* to = out.rgba.data();
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x, to += 4) {
      // Position of this pixel in the stored image: the axis, then the direction.
      int sx = swapped ? y : x, sy = swapped ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) sx = right - sx;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) sy = bottom - sy;
      const auto from =
          (static_cast<std::size_t>(sy) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(sx)) * 4;
      std::memcpy(to, image.rgba.data() + from, 4);
    }
  return out;
}

}  // namespace rc3::io
