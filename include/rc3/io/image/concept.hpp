#pragma once
/// Images, their limits, and the concept of a decoder: io::Decoder.

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rc3::io {

/// An image of 8-bit RGBA, rows from the top, without padding; alpha is not premultiplied.
struct Image {
  int width = 0;                   ///< pixels
  int height = 0;                  ///< pixels
  std::vector<std::uint8_t> rgba;  ///< [height, width, 4]
};

/// Limits of an image.
struct ImageLimits {
  std::uint64_t max_bytes = 32 << 20;  ///< size of the file
  int max_side = 8192;                 ///< pixels; at most 16384, io::Stb's own bound
  std::int64_t max_pixels = 32 << 20;  ///< width * height
};

/// Options of reading an image.
struct ImageOptions {
  bool apply_orientation = true;  ///< rotates the image upright by its EXIF data
};

/// Header of an image file, known before decoding.
struct ImageHeader {
  int width = 0;        ///< stored width, pixels
  int height = 0;       ///< stored height, pixels
  int orientation = 1;  ///< EXIF: 1 upright, 2..8 rotated or mirrored; see io::upright
};

/// Decoder of one or more formats of image files. All functions are static: a decoder has no state.
///
/// `formats` names the formats for humans ("JPEG, PNG"). `recognises(bytes)` reads the first bytes only. `probe(bytes,
/// name)` reads the header and decodes nothing. `decode(bytes, header, name)` returns the image of exactly the stored
/// size; `header` comes from `probe` and is within the limits. The latter two throw rc3::Error with `name` and the
/// reason.
template <class D>
concept Decoder = requires(std::string_view bytes, const ImageHeader& header) {
  { D::formats } -> std::convertible_to<std::string_view>;
  { D::recognises(bytes) } -> std::same_as<bool>;
  { D::probe(bytes, bytes) } -> std::same_as<ImageHeader>;
  { D::decode(bytes, header, bytes) } -> std::same_as<Image>;
};

}  // namespace rc3::io
