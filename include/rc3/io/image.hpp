#pragma once
/// JPEG and PNG pictures, from strangers: every bound is checked before memory is spent.
///
/// The decoder is stb_image, compiled once in cmake/stb_image.cpp. With CMake, `rc3::light` links it. Without: compile
/// that one file with stb's folder in the include path (`g++ -std=c++20 -Iinclude -I/usr/include/stb -c
/// cmake/stb_image.cpp`) and link the object. All of stb is internal to it, so that it stands beside another stb.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"

namespace rc3::io {

/// A picture of 8-bit RGBA, rows from the top, without padding; alpha is not premultiplied.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;  ///< [height, width, 4]
};

/// What a picture may cost.
struct ImageLimits {
  std::uint64_t max_bytes = 32 << 20;  ///< of the file
  int max_side = 8192;                 ///< pixels; at most 16384, the decoder's own bound
  std::int64_t max_pixels = 32 << 20;  ///< width * height
};

namespace detail {
// Defined in cmake/stb_image.cpp. They return nullptr or the reason why not.
const char* stb_info(const unsigned char* bytes, int size, int* width, int* height);
const char* stb_decode(const unsigned char* bytes, int size, std::size_t memory, Image& out);
const char* stb_encode_png(const Image& image, std::string& out);

/// Whether the JPEG in @p bytes has its end marker. stb fills what is missing of a JPEG with grey and reports nothing.
inline bool jpeg_is_whole(std::string_view bytes) {
  const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  // Segments up to the start of scan; a thumbnail in one of them has an end marker of its own, so they are skipped.
  for (std::size_t i = 2; i + 4 <= bytes.size();) {
    if (at(i) != 0xFF) return false;
    const unsigned marker = at(i + 1);
    if (marker == 0xFF) {  // fill byte
      ++i;
      continue;
    }
    const std::size_t length = std::size_t{at(i + 2)} << 8 | at(i + 3);
    i += 2 + length;
    // In the scans the byte FF is followed by 00 or a marker, so that this pair is the end.
    if (marker == 0xDA) return i <= bytes.size() && bytes.find("\xFF\xD9", i) != std::string_view::npos;
  }
  return false;
}
}  // namespace detail

/// Decodes a JPEG or PNG; grey and palette pictures become RGBA, 16 bits become 8, EXIF orientation is not applied.
/// @param bytes  the file's content
/// @param name   what the picture is called in errors
/// @throws rc3::Error naming @p name and the reason: empty, no JPEG or PNG, over a limit (before anything is decoded),
///         damaged, truncated.
inline Image decode_image(std::string_view bytes, std::string_view name, const ImageLimits& limits = {}) {
  require(!bytes.empty(), name, ": empty, no picture");
  require(bytes.size() <= limits.max_bytes && bytes.size() <= std::size_t{1} << 30, name, ": has ", bytes.size(),
          " bytes, more than the allowed ", limits.max_bytes);
  const bool jpeg = bytes.starts_with("\xFF\xD8\xFF");
  require(jpeg || bytes.starts_with("\x89PNG\r\n\x1A\n"), name, ": neither JPEG nor PNG");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = static_cast<int>(bytes.size());

  int width = 0;
  int height = 0;
  const char* reason = detail::stb_info(data, size, &width, &height);
  require(reason == nullptr, name, ": not a readable picture: ", reason == nullptr ? "" : reason);
  require(width > 0 && height > 0, name, ": a picture of ", width, " x ", height, " pixels");
  require(width <= limits.max_side && height <= limits.max_side, name, ": ", width, " x ", height,
          " pixels, more than the allowed side of ", limits.max_side);
  const std::int64_t pixels = std::int64_t{width} * height;
  require(pixels <= limits.max_pixels, name, ": ", width, " x ", height, " pixels, more than the allowed ",
          limits.max_pixels, " in all");
  require(!jpeg || detail::jpeg_is_whole(bytes), name, ": truncated JPEG: no end marker");

  // The decoder's own memory: at most 16-bit RGBA three times and the result, or a progressive JPEG's coefficients; and
  // the compressed data.
  const std::size_t memory = static_cast<std::size_t>(pixels) * 28 + 4 * bytes.size() + (4 << 20);
  Image image{width, height, {}};
  reason = detail::stb_decode(data, size, memory, image);
  require(reason == nullptr, name, ": damaged or truncated picture: ", reason == nullptr ? "" : reason);
  return image;
}

/// Reads the JPEG or PNG file @p path. @throws rc3::Error as decode_image does, and when the file cannot be read.
inline Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {}) {
  return decode_image(read_file(path, limits.max_bytes), path.string(), limits);
}

/// The picture as the content of a PNG file. @pre rgba holds width * height * 4 bytes
inline std::string encode_png(const Image& image) {
  require(image.width > 0 && image.height > 0 &&
              image.rgba.size() == static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 4,
          "encode_png: rgba must hold width * height * 4 = ", image.width, " * ", image.height, " * 4 bytes, holds ",
          image.rgba.size());
  std::string png;
  const char* reason = detail::stb_encode_png(image, png);
  require(reason == nullptr, "encode_png: ", reason == nullptr ? "" : reason);
  return png;
}

/// Writes @p image to @p path, whole or not at all. @throws rc3::Error when it cannot.
inline void write_png(const std::filesystem::path& path, const Image& image) { write_file(path, encode_png(image)); }

}  // namespace rc3::io
