#pragma once
/// Image processor of a pretrained directory: the file that transformers reads, and its pixel values. LibTorch-free.

#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace rc3::io {

/// "image_processor" of processor_config.json (transformers 5) if that file has the key, else
/// preprocessor_config.json: the order of transformers. All that reads or writes an image processor goes through here.
struct ImageProcessor {
  std::filesystem::path path;
  nlohmann::json json;  ///< content of the file
  bool part = false;    ///< whether the keys are those of json["image_processor"]

  /// The file in @p folder; none if it has neither. @throws rc3::Error if a file or the part is no JSON object
  static std::optional<ImageProcessor> find(const std::filesystem::path& folder) {
    for (const bool part : {true, false}) {
      const auto path = folder / (part ? "processor_config.json" : "preprocessor_config.json");
      if (!std::filesystem::exists(path)) continue;
      ImageProcessor found{path, read_json(path), part};
      require(found.json.is_object(), path.string(), ": must be an object");
      if (part && !found.json.contains("image_processor")) continue;
      require(found.keys().is_object(), found.where(), ": must be an object");
      return found;
    }
    return std::nullopt;
  }

  /// Keys of the image processor alone.
  nlohmann::json& keys() { return part ? json["image_processor"] : json; }
  const nlohmann::json& keys() const { return part ? json.at("image_processor") : json; }
  /// Name in errors.
  std::string where() const { return path.string() + (part ? ": image_processor" : ""); }
};

/// (rescale pixel - mean) / deviation, channel by channel.
struct PixelValues {
  double rescale = 1;                        ///< above 0; 1: no rescaling
  std::array<double, 3> mean{0, 0, 0};       ///< of rescaled red, green, blue
  std::array<double, 3> deviation{1, 1, 1};  ///< above 0
};

/// The three finite numbers under @p key. @throws rc3::Error naming @p where and the key
inline std::array<double, 3> three_numbers(const nlohmann::json& json, const char* key, const std::string& where) {
  const auto all = get<std::vector<double>>(json, key, where);
  require(all.size() == 3, where, ": \"", key, "\" must be three numbers, has ", all.size());
  std::array<double, 3> numbers{};
  for (std::size_t c = 0; c < 3; ++c) {
    require(std::isfinite(all[c]), where, ": \"", key, "\" must be finite, has ", all[c]);
    numbers[c] = all[c];
  }
  return numbers;
}

/// Rescaling and normalisation of an image processor. Missing switches are on and a missing factor is 1 / 255, as in
/// transformers' classes; mean and deviation have no default.
/// @throws rc3::Error naming file and key if a value is missing or invalid
inline PixelValues pixel_values(const ImageProcessor& processor) {
  const auto& json = processor.keys();
  const auto where = processor.where();
  PixelValues values;
  if (get_or(json, "do_rescale", where, true)) {
    values.rescale = get_or(json, "rescale_factor", where, 1 / 255.0);
    require(std::isfinite(values.rescale) && values.rescale > 0, where, ": \"rescale_factor\" must be above 0, is ",
            values.rescale);
  }
  if (!get_or(json, "do_normalize", where, true)) return values;
  values.mean = three_numbers(json, "image_mean", where);
  values.deviation = three_numbers(json, "image_std", where);
  for (const double d : values.deviation) require(d > 0, where, ": \"image_std\" must be above 0, has ", d);
  return values;
}

}  // namespace rc3::io
