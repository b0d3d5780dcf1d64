#pragma once
/// List of decoders, fixed at compile time; the first one that recognises a file reads it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/io/image/exif.hpp"
#include "rc3/io/image/kind.hpp"

namespace rc3::io {

/// Decoder of the formats of all @p List: `io::Decoders<io::TurboJpeg, io::Stb, io::WebP>`. If two recognise a format,
/// the first is used.
/// @tparam List  decoders: io::Decoder
template <class... List>
class Decoders {
  static_assert(sizeof...(List) > 0,
                "io::Decoders: name at least one decoder, for example io::Decoders<io::Stb> "
                "[docs/concepts/image.md]");
  static_assert((Decoder<List> && ...),
                "io::Decoders: each must have static formats, recognises(bytes), probe(bytes, "
                "name) and decode(bytes, header, name) [docs/concepts/image.md]");

 public:
  /// Image in @p bytes as 8-bit RGBA. Limits are checked on the header, before memory is allocated.
  /// @param bytes  the file's content
  /// @param name   name of the image in errors
  /// @throws rc3::Error naming @p name and the reason: empty, another format, over a limit, damaged, truncated
  static Image decode(std::string_view bytes, std::string_view name, const ImageLimits& limits = {},
                      const ImageOptions& options = {}) {
    require(!bytes.empty(), name, ": empty, no image");
    require(bytes.size() <= limits.max_bytes && bytes.size() <= std::size_t{1} << 30, name, ": has ", bytes.size(),
            " bytes, more than the allowed ", limits.max_bytes);
    Image image;
    const auto tried = [&]<class D>() {
      if (!D::recognises(bytes)) return false;
      image = decode_with<D>(bytes, name, limits, options);
      return true;
    };
    const bool done = (tried.template operator()<List>() || ...);
    if (!done) fail(name, ": ", why_not(bytes));
    return image;
  }

  /// Whether a decoder recognises the file. @param bytes  the file's content, or its first 1024 bytes
  static bool recognises(std::string_view bytes) { return (List::recognises(bytes) || ...); }

  /// Reason why a file that no decoder recognises is not read: "GIF; only these are read: JPEG, PNG".
  static std::string why_not(std::string_view bytes) {
    const std::string kind = kind_of_file(bytes);
    return join(kind, "; only these are read: ", formats(),
                kind == "WebP" ? "; io::WebP of rc3::webp (libwebp) reads it [docs/concepts/image.md]" : "");
  }

  /// Image in the file @p path. @throws rc3::Error as decode does, and if the file cannot be read.
  static Image load(const std::filesystem::path& path, const ImageLimits& limits = {},
                    const ImageOptions& options = {}) {
    return decode(read_file(path, limits.max_bytes), path.string(), limits, options);
  }

  /// Supported formats, for humans, each once: "JPEG, PNG".
  static std::string formats() {
    std::string all;
    const auto add = [&](std::string_view names) {
      while (!names.empty()) {
        const std::size_t end = std::min(names.find(", "), names.size());
        const std::string name(names.substr(0, end));
        if ((", " + all + ", ").find(", " + name + ", ") == std::string::npos) all += (all.empty() ? "" : ", ") + name;
        names.remove_prefix(std::min(end + 2, names.size()));
      }
    };
    (add(List::formats), ...);
    return all;
  }

 private:
  template <class D>
  static Image decode_with(std::string_view bytes, std::string_view name, const ImageLimits& limits,
                           const ImageOptions& options) {
    const ImageHeader header = D::probe(bytes, name);
    require(header.width > 0 && header.height > 0, name, ": an image of ", header.width, " x ", header.height,
            " pixels");
    require(header.width <= limits.max_side && header.height <= limits.max_side, name, ": ", header.width, " x ",
            header.height, " pixels, more than the allowed side of ", limits.max_side);
    require(std::int64_t{header.width} * header.height <= limits.max_pixels, name, ": ", header.width, " x ",
            header.height, " pixels, more than the allowed ", limits.max_pixels, " in all");
    Image image = D::decode(bytes, header, name);
    require(image.width == header.width && image.height == header.height, name, ": damaged: the header says ",
            header.width, " x ", header.height, " pixels, the image has ", image.width, " x ", image.height);
    return options.apply_orientation ? upright(std::move(image), header.orientation) : image;
  }
};

}  // namespace rc3::io
