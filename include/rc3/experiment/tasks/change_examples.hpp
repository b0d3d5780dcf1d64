#pragma once
/// Transformations of examples on reading: translated texts, and a grid of regions. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "rc3/core/error.hpp"
#include "rc3/data/example.hpp"
#include "rc3/data/format/annotation_file.hpp"

namespace rc3::experiment {

/// Translate-test: replaces a text by its translation into the source language.
/// @throws rc3::Error naming a line without a tab; the returned function also for a text without a translation
inline std::function<void(data::Example&)> translated(const std::filesystem::path& path) {
  if (path.empty()) return {};
  const data::AnnotationFile lines(path);
  const auto known = std::make_shared<std::unordered_map<std::string, std::string>>();
  for (std::int64_t i = 0; i < lines.size(); ++i) {
    if (lines.empty(i)) continue;
    const auto line = lines.read(i);
    const auto tab = line.find('\t');
    require(tab != std::string::npos && tab > 0 && tab + 1 < line.size(), lines.where(i),
            ": a text, a tab and its translation are expected");
    (*known)[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return [known, name = path.string()](data::Example& example) {
    const auto found = known->find(example.text);
    require(found != known->end(), name, ": has no translation of \"", example.text, '"');
    example.text = found->second;
  };
}

/// The whole image and its @p parts x @p parts tiles as regions, for visual policies that read regions.
inline data::Regions grid_regions(std::int64_t parts) {
  data::Regions regions;
  regions.width = regions.height = 1;
  regions.boxes = {{0, 0, 1, 1}};
  const auto at = [&](std::int64_t i) { return static_cast<float>(i) / static_cast<float>(parts); };
  for (std::int64_t y = 0; y < parts; ++y)
    for (std::int64_t x = 0; x < parts; ++x) regions.boxes.push_back({at(x), at(y), at(x + 1), at(y + 1)});
  return regions;
}

}  // namespace rc3::experiment
