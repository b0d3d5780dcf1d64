#pragma once
/// EXIF orientation of an image.

#include <algorithm>
#include <array>
#include <bit>
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
    if (number(entry, 2) != 0x0112) continue;
    // The standard says one SHORT. Like Pillow: any type of number, and the first of several.
    constexpr std::array<std::size_t, 17> sizes{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8};  // by type
    const std::uint32_t type = number(entry + 2, 2), values = number(entry + 4, 4);
    const std::size_t size = type < sizes.size() ? sizes[type] : 0;
    if (size == 0 || values == 0) continue;
    const std::uint64_t bytes = std::uint64_t{size} * values;
    const std::size_t at = bytes <= 4 ? entry + 8 : number(entry + 8, 4);
    if (at > tiff.size() || bytes > tiff.size() - at) return 1;
    if (type == 1 || type == 2 || type == 7) return 1;  // BYTE, ASCII and UNDEFINED are text, not numbers
    const std::uint32_t first = number(at, std::min<std::size_t>(size, 4)), second = size == 8 ? number(at + 4, 4) : 0;
    const std::uint64_t both = little ? std::uint64_t{second} << 32 | first : std::uint64_t{first} << 32 | second;
    auto value = static_cast<double>(first);
    if (type == 5 || type == 10)
      value = second == 0 ? 0 : static_cast<double>(first) / second;  // RATIONAL: below 0 is none anyway
    if (type == 11) value = std::bit_cast<float>(first);
    if (type == 12) value = std::bit_cast<double>(both);
    if (type == 16) value = static_cast<double>(both);
    for (int o = 2; o <= 8; ++o)
      if (value == o) return o;
    return 1;
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
