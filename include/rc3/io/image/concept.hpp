#pragma once
/// What an image is, what it may cost, and what reads an image's file: the concept io::Decoder.

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rc3::io {

/// An image of 8-bit RGBA, rows from the top, without padding; alpha is not premultiplied.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;  ///< [height, width, 4]
};

/// What an image may cost.
struct ImageLimits {
  std::uint64_t max_bytes = 32 << 20;  ///< of the file
  int max_side = 8192;                 ///< pixels; at most 16384, io::Stb's own bound
  std::int64_t max_pixels = 32 << 20;  ///< width * height
};

/// How an image is read.
struct ImageOptions {
  bool apply_orientation = true;  ///< turn the image as its EXIF data say, so that its top is up
};

/// What a file says of its image before it is decoded.
struct ImageHeader {
  int width = 0;        ///< pixels, as they are stored
  int height = 0;       ///< pixels, as they are stored
  int orientation = 1;  ///< EXIF: 1 upright, 2..8 how to turn it; see io::upright
};

/// Reads one or more types of image files. All functions are static: a decoder has no state.
///
/// `formats` names the types for people ("JPEG, PNG"). `recognises(bytes)` looks at the first bytes only. `probe(bytes,
/// name)` reads the header and decodes nothing. `decode(bytes, header, name)` gives the image of just that size, as
/// it is stored; it is called with what probe returned, once that is within the limits. The latter two throw rc3::Error
/// naming `name` and the reason.
template <class D>
concept Decoder = requires(std::string_view bytes, const ImageHeader& header) {
  { D::formats } -> std::convertible_to<std::string_view>;
  { D::recognises(bytes) } -> std::same_as<bool>;
  { D::probe(bytes, bytes) } -> std::same_as<ImageHeader>;
  { D::decode(bytes, header, bytes) } -> std::same_as<Image>;
};

}  // namespace rc3::io
