#pragma once
/// Paths of images named in untrusted files. LibTorch-free.

#include <filesystem>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::data {

/// @p name below @p folder. The file's existence is not checked.
/// @throws rc3::Error "<where>: ..." for a name that is empty or outside the folder
inline std::filesystem::path image_path(const std::filesystem::path& folder, std::string_view name,
                                        std::string_view where) {
  const std::filesystem::path inside(name);
  require(!name.empty() && name.find('\0') == std::string_view::npos && inside.is_relative() &&
              *inside.lexically_normal().begin() != "..",
          where, ": the image \"", name, "\" must be a file's name below the images' folder");
  return folder / inside;
}

}  // namespace rc3::data
