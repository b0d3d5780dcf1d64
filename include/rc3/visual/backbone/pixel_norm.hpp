#pragma once
/// Normalisation of pixels, 0 to 255, and its preprocessor_config.json.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::visual::backbone {

/// (rescale pixel - mean) / deviation, channel by channel.
struct PixelNorm {
  std::array<double, 3> mean{0.5, 0.5, 0.5};       ///< R, G, B, of the rescaled pixels
  std::array<double, 3> deviation{0.5, 0.5, 0.5};  ///< > 0
  double rescale = 1 / 255.0;                      ///< > 0

  /// Values of CLIP.
  static PixelNorm clip() {
    return {{0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}, 1 / 255.0};
  }

  /// Values of the directory: image_processor in processor_config.json (transformers 5), else preprocessor_config.json,
  /// else @p family. The order is that of transformers.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static PixelNorm from_directory(const std::filesystem::path& directory, const PixelNorm& family);

  /// Writes these values where from_directory finds them; other keys of the file are kept.
  /// @param otherwise  all other keys of preprocessor_config.json, if there is no such file
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
  /// File that transformers reads, with its content; an empty path: none.
  struct Found {
    std::filesystem::path path;
    nlohmann::json json;
    bool part = false;  ///< whether the keys are those of json["image_processor"]

    nlohmann::json& keys() { return part ? json["image_processor"] : json; }
  };

  static Found find(const std::filesystem::path& directory) {
    for (const bool part : {true, false}) {
      const auto path = directory / (part ? "processor_config.json" : "preprocessor_config.json");
      if (!std::filesystem::exists(path)) continue;
      auto json = io::read_json(path);
      require(json.is_object(), path.string(), ": must be an object");
      if (!part || json.contains("image_processor")) return {path, std::move(json), part};
    }
    return {};
  }
};

template <class V>
void visit_fields(PixelNorm& o, V&& v) {
  v("mean", o.mean, "R, G, B, of the rescaled pixels");
  v("deviation", o.deviation, "R, G, B, of the rescaled pixels", config::above(0));
  v("rescale", o.rescale, "factor of pixels 0..255", config::above(0));
}

inline PixelNorm PixelNorm::from_directory(const std::filesystem::path& directory, const PixelNorm& family) {
  Found found = find(directory);
  if (found.path.empty()) return family;
  const auto& json = found.keys();
  const auto where = found.path.string() + (found.part ? ": image_processor" : "");
  PixelNorm norm{{0, 0, 0}, {1, 1, 1}, 1};
  // Files of old feature extractors have no rescale_factor: they always divide by 255.
  if (io::get_or(json, "do_rescale", where, true)) norm.rescale = io::get_or(json, "rescale_factor", where, 1 / 255.0);
  require(std::isfinite(norm.rescale) && norm.rescale > 0, where, ": rescale_factor must be above 0, is ",
          norm.rescale);
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
  Found found = find(directory);
  if (found.path.empty()) found = {directory / "preprocessor_config.json", otherwise};
  found.keys().update({{"do_rescale", true},
                       {"rescale_factor", rescale},
                       {"do_normalize", true},
                       {"image_mean", mean},
                       {"image_std", deviation}});
  io::write_file(found.path, found.json.dump(2) + "\n");
}

}  // namespace rc3::visual::backbone
