#pragma once
/// WebP by libwebp. Optional: with CMake link `rc3::webp`, which exists if RC3_WITH_WEBP found the library (Debian:
/// libwebp-dev). Otherwise link with -lwebp.

#include <webp/decode.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/exif.hpp"

namespace rc3::io {

/// WebP, lossy and lossless, with and without alpha; an animation is an error.
struct WebP {
  static constexpr std::string_view formats = "WebP";

  static bool recognises(std::string_view bytes) {
    return bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8).starts_with("WEBP");
  }

  /// @throws rc3::Error for no readable WebP, or an animation
  static ImageHeader probe(std::string_view bytes, std::string_view name) {
    WebPBitstreamFeatures features;
    require(WebPGetFeatures(data(bytes), bytes.size(), &features) == VP8_STATUS_OK, name, ": not a readable WebP");
    require(features.has_animation == 0, name, ": an animated WebP, which is not read; save one image of it");
    return {features.width, features.height, exif_orientation(exif(bytes))};
  }

  /// @throws rc3::Error for damaged or truncated data
  static Image decode(std::string_view bytes, const ImageHeader& header, std::string_view name) {
    Image image{header.width, header.height, {}};
    image.rgba.resize(static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height) * 4);
    const auto* done =
        WebPDecodeRGBAInto(data(bytes), bytes.size(), image.rgba.data(), image.rgba.size(), header.width * 4);
    require(done != nullptr, name, ": damaged or truncated WebP");
    return image;
  }

 private:
  static const std::uint8_t* data(std::string_view bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
  }

  /// Content of the EXIF chunk; empty if absent, or if the chunks do not match the file size.
  static std::string_view exif(std::string_view bytes) {
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
      std::size_t size = 0;
      for (std::size_t i = 4; i-- > 0;) size = size << 8 | static_cast<unsigned char>(bytes[at + 4 + i]);
      if (size > bytes.size() - at - 8) break;
      if (bytes.substr(at, 4) == "EXIF") {
        std::string_view found = bytes.substr(at + 8, size);
        if (found.starts_with(std::string_view("Exif\0\0", 6))) found.remove_prefix(6);  // as some writers add it
        return found;
      }
      at += 8 + size + size % 2;
    }
    return {};
  }
};
static_assert(Decoder<WebP>);

}  // namespace rc3::io
