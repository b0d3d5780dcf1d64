#pragma once
/// Decoding of a sample's image from any source. LibTorch-free.

#include <filesystem>
#include <string_view>
#include <variant>

#include "rc3/core/error.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/image.hpp"
#include "rc3/preprocess/image_source.hpp"

namespace rc3::preprocess {

/// @tparam Decoders  decoders of image files, for example `io::Decoders<io::TurboJpeg, io::Stb, io::WebP>`
/// @param where  name of the sample, for errors
/// @throws rc3::Error without an image, or as io::load_image does
template <class Decoders = io::DefaultDecoders>
io::Image decode_image(const ImageSource& source, std::string_view where, const io::ImageLimits& limits = {}) {
  if (const auto* path = std::get_if<std::filesystem::path>(&source)) return Decoders::load(*path, limits, {});
  if (const auto* file = std::get_if<EncodedImage>(&source))
    return Decoders::decode(file->bytes, file->name, limits, {});
  const auto* pixels = std::get_if<io::Image>(&source);
  require(pixels != nullptr, where, ": has no image");
  return *pixels;
}

}  // namespace rc3::preprocess
