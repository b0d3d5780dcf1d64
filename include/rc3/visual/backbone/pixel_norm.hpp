#pragma once
/// How pixels of 0 to 255 become a network's input, and the preprocessor_config.json that says so.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::visual::backbone {

/// (rescale pixel - mean) / deviation, channel by channel.
struct PixelNorm {
  std::array<double, 3> mean{0.5, 0.5, 0.5};       ///< R, G, B, of the rescaled pixels
  std::array<double, 3> deviation{0.5, 0.5, 0.5};  ///< > 0
  double rescale = 1 / 255.0;                      ///< > 0

  /// What CLIP was trained with.
  static PixelNorm clip() {
    return {{0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}, 1 / 255.0};
  }

  /// What the directory's preprocessor_config.json says, or its processor_config.json, in which transformers 5 keeps what
  /// a CLIP or SigLIP processor is made of; @p family where it has neither.
  /// @throws rc3::Error naming the file and the key that is missing or makes no sense
  static PixelNorm from_directory(const std::filesystem::path& directory, const PixelNorm& family);

  /// Writes this into the directory's preprocessor_config.json, where a file that is there keeps its other keys.
  /// @param otherwise  all the other keys, where there is no file
  void save(const std::filesystem::path& directory, const nlohmann::json& otherwise) const;

  /// @param pixels  uint8 or float [B, 3, H, W], 0..255. @return float32 [B, 3, H, W]
  at::Tensor operator()(const at::Tensor& pixels) const {
    std::array<float, 3> scale{}, shift{};
    for (std::size_t c = 0; c < 3; ++c) {
      scale[c] = static_cast<float>(rescale / deviation[c]);
      shift[c] = static_cast<float>(mean[c] / deviation[c]);
    }
    const auto column = [&](const std::array<float, 3>& values) {
      return at::tensor(at::ArrayRef<float>(values), at::kFloat).to(pixels.device()).view({1, 3, 1, 1});
    };
    return pixels.to(at::kFloat) * column(scale) - column(shift);
  }

 private:
  static constexpr const char* file = "preprocessor_config.json";
};

inline PixelNorm PixelNorm::from_directory(const std::filesystem::path& directory, const PixelNorm& family) {
  nlohmann::json json;
  std::string where = (directory / file).string();
  if (std::filesystem::exists(directory / file)) {
    json = io::read_json(directory / file);
  } else if (const auto both = directory / "processor_config.json"; std::filesystem::exists(both)) {
    json = io::read_json(both);
    if (!json.is_object() || !json.contains("image_processor")) return family;
    json = nlohmann::json(json["image_processor"]);
    where = both.string() + ": image_processor";
  } else {
    return family;
  }
  PixelNorm norm{{0, 0, 0}, {1, 1, 1}, 1};
  // The files of old feature extractors have no rescale_factor: they always divided by 255.
  if (io::get_or(json, "do_rescale", where, true)) norm.rescale = io::get_or(json, "rescale_factor", where, 1 / 255.0);
  require(std::isfinite(norm.rescale) && norm.rescale > 0, where, ": rescale_factor must be above 0, is ", norm.rescale);
  if (!io::get_or(json, "do_normalize", where, true)) return norm;
  const auto read = [&](const char* key, std::array<double, 3>& to, double above) {
    const auto values = io::get<std::vector<double>>(json, key, where);
    require(values.size() == 3, where, ": ", key, " must have 3 numbers, has ", values.size());
    for (std::size_t c = 0; c < 3; ++c) {
      require(std::isfinite(values[c]) && values[c] > above, where, ": ", key, " makes no sense: ", values[c]);
      to[c] = values[c];
    }
  };
  read("image_mean", norm.mean, -1e9);
  read("image_std", norm.deviation, 0);
  return norm;
}

inline void PixelNorm::save(const std::filesystem::path& directory, const nlohmann::json& otherwise) const {
  const auto path = directory / file;
  auto json = std::filesystem::exists(path) ? io::read_json(path) : otherwise;
  require(json.is_object(), path.string(), ": must be an object");
  json.update({{"do_rescale", true},
               {"rescale_factor", rescale},
               {"do_normalize", true},
               {"image_mean", mean},
               {"image_std", deviation}});
  io::write_file(path, json.dump(2) + "\n");
}

}  // namespace rc3::visual::backbone
