#pragma once
/// JPEG and PNG images from untrusted sources: every bound is checked before memory is allocated.
///
/// These functions use `io::DefaultDecoders`. For other formats: `io::Decoders<io::TurboJpeg, io::Stb, io::WebP>` with
/// rc3/io/image/turbojpeg.hpp and rc3/io/image/webp.hpp, which this header does not include.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/decoders.hpp"
#include "rc3/io/image/flatten.hpp"
#include "rc3/io/image/resize.hpp"
#include "rc3/io/image/stb.hpp"

namespace rc3::io {

/// Decoded JPEG or PNG. Grey and palette images become RGBA, 16 bits are reduced to the upper 8, and EXIF orientation
/// is applied.
/// @param bytes  the file's content
/// @param name   name of the image in errors
/// @throws rc3::Error naming @p name and the reason: empty, neither JPEG nor PNG, over a limit (before decoding),
///         damaged, truncated.
inline Image decode_image(std::string_view bytes, std::string_view name, const ImageLimits& limits = {},
                          const ImageOptions& options = {}) {
  return DefaultDecoders::decode(bytes, name, limits, options);
}

/// Image of the JPEG or PNG file @p path. @throws rc3::Error as decode_image does, and if the file cannot be read.
inline Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {},
                        const ImageOptions& options = {}) {
  return DefaultDecoders::load(path, limits, options);
}

/// PNG file content of the image. @pre rgba has width * height * 4 bytes
/// @throws rc3::Error for an empty image, or another number of bytes
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

/// Writes @p image to @p path, complete or not at all. @throws rc3::Error if writing fails.
inline void write_png(const std::filesystem::path& path, const Image& image) { write_file(path, encode_png(image)); }

}  // namespace rc3::io
