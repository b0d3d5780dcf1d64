#pragma once
/// JPEG and PNG by stb_image, which is compiled once in src/stb_image.cpp. With CMake, `rc3::light` links it.
/// Without: compile that one file with stb's folder in the include path (`g++ -std=c++20 -Iinclude -I/usr/include/stb
/// -c src/stb_image.cpp`) and link the object. All of stb is internal to it, so that it stands beside another stb.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/exif.hpp"
#include "rc3/io/image/jpeg.hpp"
#include "rc3/io/image/png.hpp"

namespace rc3::io {

namespace detail {

// Defined in src/stb_image.cpp. They return nullptr or the reason why not.
const char* stb_info(const unsigned char* bytes, int size, int* width, int* height);
const char* stb_decode(const unsigned char* bytes, int size, std::size_t memory, Image& out);
const char* stb_encode_png(const Image& image, std::string& out);

/// PNG @p bytes with its palette extended to 256 black colours, if necessary: a pixel may refer to a missing colour,
/// and stb would read uninitialised memory. Checks every CRC.
/// @return empty: @p bytes need no change
inline std::string with_whole_palette(std::string_view bytes, std::string_view name) {
  constexpr std::size_t whole = 256 * 3, color_type = 9;
  std::string filled;
  bool indexed = false;
  png::for_each_chunk(bytes, name, true, [&](std::string_view type, std::string_view data, std::size_t begin) {
    if (type == "IHDR") indexed = data[color_type] == 3;
    if (!indexed || type != "PLTE" || data.size() >= whole || !filled.empty()) return;
    filled.reserve(bytes.size() + whole);
    filled.append(bytes.substr(0, begin));
    filled.append(std::string_view("\0\0\3\0PLTE", 8)).append(data).append(whole - data.size(), '\0');
    filled.append(bytes.substr(begin + 8 + data.size()));  // with the old CRC, which stb does not read
  });
  return filled;
}

}  // namespace detail

/// JPEG (baseline and progressive, 8 bits; four channels are Adobe's CMYK or YCCK) and PNG (all except animation).
///
/// Grey and palette images become RGBA; 16 bits are reduced to the upper 8. Each CRC of a PNG is checked.
struct Stb {
  static constexpr std::string_view formats = "JPEG, PNG";

  static bool recognises(std::string_view bytes) {
    return bytes.starts_with(jpeg::signature) || bytes.starts_with(png::signature);
  }

  /// @throws rc3::Error for no readable image, a truncated file or more than jpeg::max_scans scans
  static ImageHeader probe(std::string_view bytes, std::string_view name) {
    ImageHeader header;
    std::string repaired;
    if (!bytes.starts_with(png::signature)) {
      const auto facts = jpeg::facts(bytes, name);
      jpeg::check_scans(facts, name);
      header.orientation = exif_orientation(facts.exif);
      repaired = jpeg::repaired(bytes, facts);
      if (!repaired.empty()) bytes = repaired;
    }
    const char* reason = detail::stb_info(data(bytes), static_cast<int>(bytes.size()), &header.width, &header.height);
    require(reason == nullptr, name, ": not a readable image: ", reason == nullptr ? "" : reason);
    if (bytes.starts_with(png::signature)) header.orientation = exif_orientation(png::exif(bytes, name));
    return header;
  }

  /// @throws rc3::Error for damaged or truncated data, or a decoder that needs more memory than such an image takes
  static Image decode(std::string_view bytes, const ImageHeader& header, std::string_view name) {
    const std::string filled = bytes.starts_with(png::signature) ? detail::with_whole_palette(bytes, name)
                                                                 : jpeg::repaired(bytes, jpeg::facts(bytes, name));
    if (!filled.empty()) bytes = filled;
    // Memory of the decoder: at most 16-bit RGBA three times and the result, or a progressive JPEG's coefficients, and
    // the compressed data.
    const std::size_t pixels = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height);
    const std::size_t memory = pixels * 28 + 4 * bytes.size() + (4 << 20);
    Image image;
    const char* reason = detail::stb_decode(data(bytes), static_cast<int>(bytes.size()), memory, image);
    require(reason == nullptr, name, ": damaged or truncated image: ", reason == nullptr ? "" : reason);
    return image;
  }

 private:
  static const unsigned char* data(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
  }
};
static_assert(Decoder<Stb>);

}  // namespace rc3::io
