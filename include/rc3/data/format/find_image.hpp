#pragma once
/// Lookup of image files by name, often a URL. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/data/format/image_path.hpp"

namespace rc3::data {

/// Returns the file, or nullopt if there is no such image. Called from many threads.
using FindImage = std::function<std::optional<std::filesystem::path>(const std::string& name)>;

/// Lookup for images downloaded to a folder.
/// @param list  one line per image: the name (URL), a tab, the file's name below @p folder
/// @throws rc3::Error naming the line: no tab, a file outside the folder, a repeated name
inline FindImage listed_images(const std::filesystem::path& list, const std::filesystem::path& folder) {
  const AnnotationFile lines(list);
  const auto files = std::make_shared<std::unordered_map<std::string, std::filesystem::path>>();
  for (std::int64_t i = 0; i < lines.size(); ++i) {
    if (lines.empty(i)) continue;
    const std::string line = lines.read(i);
    const std::size_t tab = line.find('\t');
    require(tab != std::string::npos && tab > 0, lines.where(i), ": a name, a tab and a file's name are expected");
    auto path = image_path(folder, line.substr(tab + 1), lines.where(i));
    require(files->emplace(line.substr(0, tab), std::move(path)).second, lines.where(i), ": \"", line.substr(0, tab),
            "\" was there before");
  }
  return [files](const std::string& name) -> std::optional<std::filesystem::path> {
    const auto found = files->find(name);
    return found == files->end() ? std::nullopt : std::optional(found->second);
  };
}

/// Lookup for images stored as `<folder>/<name><extension>`. The file's existence is not checked.
/// @param extension  ".jpg"; empty if the names include it
/// @throws rc3::Error (the returned function) for a name outside the folder
inline FindImage images_in(const std::filesystem::path& folder, const std::string& extension) {
  return [folder, extension](const std::string& name) {
    return std::optional(image_path(folder, name.empty() ? name : name + extension, folder.string()));
  };
}

}  // namespace rc3::data
