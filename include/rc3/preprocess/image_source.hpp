#pragma once
/// Source of an image's pixels. LibTorch-free.

#include <filesystem>
#include <string>
#include <variant>

#include "rc3/io/image/concept.hpp"

namespace rc3::preprocess {

/// Bytes of an image file.
struct EncodedImage {
  std::string bytes;  ///< the whole file
  std::string name;   ///< for errors: the shard and the member
};

/// Nothing, the path of an image file, its bytes, or its pixels.
using ImageSource = std::variant<std::monostate, std::filesystem::path, EncodedImage, io::Image>;

}  // namespace rc3::preprocess
