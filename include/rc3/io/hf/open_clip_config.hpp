#pragma once
/// open_clip_config.json. LibTorch-free.

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/hf/config.hpp"

namespace rc3::io {

/// Whether open_clip wrote @p directory, and transformers did not: some repositories hold the files of both.
inline bool is_open_clip(const std::filesystem::path& directory) {
  return std::filesystem::exists(directory / "open_clip_config.json") &&
         !std::filesystem::exists(directory / "model.safetensors");
}

/// @throws rc3::Error naming the file, if it is missing or no object
inline Config open_clip_config(const std::filesystem::path& directory) {
  return Config(directory, "open_clip_config.json");
}

/// Refuses keys beside @p known: each of them changes what open_clip computes. Null and false are left out.
/// @throws rc3::Error naming the first of them
inline void only_keys(const Config& config, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : config.json().items()) {
    if (value.is_null() || value == false) continue;
    require(std::find(known.begin(), known.end(), key) != known.end(), config.where(), ": \"", key,
            "\" is not computed here");
  }
}

}  // namespace rc3::io
