#pragma once
/// From a sample's picture, wherever it is, to pixels. LibTorch-free.

#include <filesystem>
#include <string_view>
#include <variant>

#include "rc3/core/error.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/image.hpp"

namespace rc3::data {

/// @tparam Decoders  what reads picture files, for example `io::Decoders<io::TurboJpeg, io::Stb, io::WebP>`
/// @param where  the sample, for errors
/// @throws rc3::Error when there is no picture, or as io::load_image does
template <class Decoders = io::DefaultDecoders>
io::Image decode_picture(const PictureSource& picture, std::string_view where, const io::ImageLimits& limits = {}) {
  if (const auto* path = std::get_if<std::filesystem::path>(&picture)) return Decoders::load(*path, limits, {});
  if (const auto* file = std::get_if<EncodedPicture>(&picture))
    return Decoders::decode(file->bytes, file->name, limits, {});
  const auto* image = std::get_if<io::Image>(&picture);
  require(image != nullptr, where, ": has no picture");
  return *image;
}

}  // namespace rc3::data
