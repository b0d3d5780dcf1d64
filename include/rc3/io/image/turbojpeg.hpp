#pragma once
/// JPEG by libjpeg-turbo, several times faster than stb_image. Optional: with CMake link `rc3::turbojpeg`, which exists
/// if RC3_WITH_TURBOJPEG found the library (Debian: libturbojpeg0-dev). Otherwise link with -lturbojpeg.

#include <turbojpeg.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/exif.hpp"
#include "rc3/io/image/jpeg.hpp"

namespace rc3::io {

/// JPEG of 8 bits, grey, colour or CMYK. Warnings of libjpeg-turbo (damaged data) are errors too.
struct TurboJpeg {
  static constexpr std::string_view formats = "JPEG";

  static bool recognises(std::string_view bytes) { return bytes.starts_with(jpeg::signature); }

  /// @throws rc3::Error for no readable JPEG, a truncated file or more than jpeg::max_scans scans
  static ImageHeader probe(std::string_view bytes, std::string_view name) {
    const jpeg::Facts facts = jpeg::facts(bytes, name);
    if (!jpeg::may_have_trailer(facts)) jpeg::check_scans(facts, name);
    const Handle handle = open();
    const std::string repaired = jpeg::repaired(bytes, facts);
    ImageHeader header{0, 0, exif_orientation(facts.exif)};
    if (!repaired.empty()) bytes = repaired;
    int subsampling = 0, space = 0;
    const int result = tjDecompressHeader3(handle.get(), data(bytes), bytes.size(), &header.width, &header.height,
                                           &subsampling, &space);
    require(result == 0, name, ": not a readable JPEG: ", tjGetErrorStr2(handle.get()));
    return header;
  }

  /// @throws rc3::Error for damaged or truncated data, warnings of libjpeg-turbo included
  static Image decode(std::string_view bytes, const ImageHeader& header, std::string_view name) {
    const Handle handle = open();
    const jpeg::Facts facts = jpeg::facts(bytes, name);
    const std::string repaired = jpeg::repaired(bytes, facts);
    if (!repaired.empty()) bytes = repaired;
    const bool cmyk = facts.components == 4;
    Image image{header.width, header.height, {}};
    image.rgba.resize(static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height) * 4);
    const auto decompress = [&] {
      return tjDecompress2(handle.get(), data(bytes), bytes.size(), image.rgba.data(), header.width, 0, header.height,
                           cmyk ? TJPF_CMYK : TJPF_RGBA, TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING);
    };
    int result = decompress();
    std::string cut;
    const std::size_t trailer = result == 0 ? 0 : behind_scans(tjGetErrorStr2(handle.get()), bytes);
    require(trailer > 0 || result != 0 || !jpeg::may_have_trailer(facts), name, ": truncated JPEG: no end marker");
    if (trailer > 0) {  // libjpeg found the end of the image before them; without them, nothing may be wrong
      const std::size_t end = bytes.rfind("\xFF\xD9") - trailer;
      require(!bytes.substr(0, end).ends_with(std::string(32, '\0')), name,
              ": damaged or truncated JPEG: zeros in place of its end");
      cut = std::string(bytes.substr(0, end)) + "\xFF\xD9";
      bytes = cut;
      result = decompress();
    }
    require(result == 0, name, ": damaged or truncated JPEG: ", tjGetErrorStr2(handle.get()));
    if (cmyk) to_rgb(image.rgba);
    return image;
  }

 private:
  /// Number of bytes between the last scan and the end marker, by libjpeg's first warning; 0: it is another one, which
  /// says that the image is damaged.
  static std::size_t behind_scans(std::string_view warning, std::string_view bytes) {
    constexpr std::string_view before = "Corrupt JPEG data: ", behind = " extraneous bytes before marker 0xd9";
    if (!warning.starts_with(before) || !warning.ends_with(behind)) return 0;
    warning.remove_prefix(before.size());
    std::size_t count = 0;
    std::from_chars(warning.data(), warning.data() + warning.size(), count);
    return count < bytes.rfind("\xFF\xD9") ? count : 0;
  }

  /// Adobe's CMYK, of which every number is inverted, as RGBA, with Pillow's rounding.
  static void to_rgb(std::vector<std::uint8_t>& pixels) {
    for (std::size_t i = 0; i < pixels.size(); i += 4) {
      const unsigned white = pixels[i + 3];
      for (std::size_t c = i; c < i + 3; ++c) {
        const unsigned product = (255u - pixels[c]) * white + 128;
        pixels[c] = static_cast<std::uint8_t>(white - (((product >> 8) + product) >> 8));
      }
      pixels[i + 3] = 255;
    }
  }

  struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
  };
  using Handle = std::unique_ptr<void, Destroy>;

  static Handle open() {
    Handle handle(tjInitDecompress());
    require(handle != nullptr, "io::TurboJpeg: ", tjGetErrorStr2(nullptr));
    return handle;
  }
  static const unsigned char* data(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
  }
};
static_assert(Decoder<TurboJpeg>);

}  // namespace rc3::io
