#pragma once
/// JPEG by libjpeg-turbo, several times faster than stb_image. Optional: with CMake link `rc3::turbojpeg`, which exists
/// if RC3_WITH_TURBOJPEG found the library (Debian: libturbojpeg0-dev). Otherwise link with -lturbojpeg.

#include <turbojpeg.h>

#include <cstddef>
#include <memory>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/exif.hpp"
#include "rc3/io/image/jpeg.hpp"

namespace rc3::io {

/// JPEG of 8 bits, grey or colour; CMYK is an error. Warnings of libjpeg-turbo (damaged data) are errors too.
struct TurboJpeg {
  static constexpr std::string_view formats = "JPEG";

  static bool recognises(std::string_view bytes) { return bytes.starts_with(jpeg::signature); }

  static ImageHeader probe(std::string_view bytes, std::string_view name) {
    const jpeg::Facts facts = jpeg::facts(bytes, name);
    const Handle handle = open();
    ImageHeader header{0, 0, exif_orientation(facts.exif)};
    int subsampling = 0, space = 0;
    const int result = tjDecompressHeader3(handle.get(), data(bytes), bytes.size(), &header.width, &header.height,
                                           &subsampling, &space);
    require(result == 0, name, ": not a readable JPEG: ", tjGetErrorStr2(handle.get()));
    require(space != TJCS_CMYK && space != TJCS_YCCK, name,
            ": a CMYK JPEG, which io::TurboJpeg does not read; save it as RGB");
    return header;
  }

  static Image decode(std::string_view bytes, const ImageHeader& header, std::string_view name) {
    const Handle handle = open();
    Image image{header.width, header.height, {}};
    image.rgba.resize(static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height) * 4);
    const int result = tjDecompress2(handle.get(), data(bytes), bytes.size(), image.rgba.data(), header.width, 0,
                                     header.height, TJPF_RGBA, TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING);
    require(result == 0, name, ": damaged or truncated JPEG: ", tjGetErrorStr2(handle.get()));
    return image;
  }

 private:
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
