#pragma once
/// Preprocessing of a model of open_clip: "preprocess_cfg" of open_clip_config.json.

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "rc3/io/hf/image_processor.hpp"
#include "rc3/io/hf/open_clip_config.hpp"
#include "rc3/io/json.hpp"
#include "rc3/preprocess/options.hpp"

namespace rc3::preprocess {

namespace detail {

/// @p key as one side of a square, or [height, width] of one. @throws rc3::Error otherwise
inline PreprocessSize open_clip_size(const io::Config& config, const std::string& key) {
  require(config.has(key), config.where(), ": the key \"", key, "\" is missing");
  const auto& value = config.json().at(key);
  const bool list = value.is_array() && value.size() == 2;
  const int height = io::as<int>(list ? value[0] : value, key, config.where());
  const int width = io::as<int>(list ? value[1] : value, key, config.where());
  require(height == width && height >= 1 && height <= 16384, config.where(), ": \"", key,
          "\" must be the side of a square, 1 to 16384 pixels, is ", height, " x ", width);
  return {height, width, 0};
}

}  // namespace detail

/// Steps of open_clip's evaluation transform. Keys that are missing have open_clip's defaults: bicubic resize of the
/// shorter side, central crop, mean and deviation of OpenAI's CLIP.
/// @throws rc3::Error naming the file and a key that is missing or has another form
inline PreprocessOptions open_clip_options(const std::filesystem::path& directory) {
  const auto file = io::open_clip_config(directory);
  const auto vision = file.section("model_cfg").section("vision_cfg");
  const auto steps =
      file.has("preprocess_cfg") ? file.section("preprocess_cfg") : io::Config(nlohmann::json::object(), file.where());
  io::only_keys(steps, {"size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color"});
  const auto word = [&](const char* key, std::initializer_list<std::string_view> known) {
    return steps.has(key) ? steps.one_of(key, known) : std::string(*known.begin());
  };
  word("mode", {"RGB"});
  const bool bicubic = word("interpolation", {"bicubic", "bilinear"}) == "bicubic";
  const bool crops = word("resize_mode", {"shortest", "squash"}) == "shortest";
  const auto size =
      steps.has("size") ? detail::open_clip_size(steps, "size") : detail::open_clip_size(vision, "image_size");

  PreprocessOptions o;
  o.resample = bicubic ? io::Resample::bicubic : io::Resample::bilinear;
  o.resize = crops ? PreprocessSize{0, 0, size.width} : size;
  if (crops) o.crop = size;
  o.mean = {0.48145466, 0.4578275, 0.40821073};
  o.std = {0.26862954, 0.26130258, 0.27577711};
  if (steps.has("mean")) o.mean = io::three_numbers(steps.json(), "mean", steps.where());
  if (steps.has("std")) o.std = io::three_numbers(steps.json(), "std", steps.where());
  for (const double s : o.std) require(s > 0, steps.where(), ": \"std\" must be above 0, has ", s);
  return o;
}

}  // namespace rc3::preprocess
