#pragma once
/// Normalisation of pixels, 0 to 255, and its preprocessor_config.json.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/hf/image_processor.hpp"

namespace rc3::visual::backbone {

/// (rescale pixel - mean) / deviation, channel by channel.
struct PixelNorm {
  std::array<double, 3> mean{0.5, 0.5, 0.5};       ///< R, G, B, of the rescaled pixels
  std::array<double, 3> deviation{0.5, 0.5, 0.5};  ///< above 0
  double rescale = 1 / 255.0;                      ///< above 0

  /// Values of CLIP.
  static PixelNorm clip() {
    return {{0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}, 1 / 255.0};
  }

  /// Values of the directory's image processor, see io::ImageProcessor; @p family without one.
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
};

template <class V>
void visit_fields(PixelNorm& o, V&& v) {
  v("mean", o.mean, "R, G, B, of the rescaled pixels");
  v("deviation", o.deviation, "R, G, B, of the rescaled pixels", config::above(0));
  v("rescale", o.rescale, "factor of pixels 0..255", config::above(0));
}

inline PixelNorm PixelNorm::from_directory(const std::filesystem::path& directory, const PixelNorm& family) {
  const auto found = io::ImageProcessor::find(directory);
  if (!found) return family;
  const auto values = io::pixel_values(*found);
  return {values.mean, values.deviation, values.rescale};
}

inline void PixelNorm::save(const std::filesystem::path& directory, const nlohmann::json& otherwise) const {
  auto found = io::ImageProcessor::find(directory).value_or(
      io::ImageProcessor{directory / "preprocessor_config.json", otherwise, false});
  found.keys().update({{"do_rescale", true},
                       {"rescale_factor", rescale},
                       {"do_normalize", true},
                       {"image_mean", mean},
                       {"image_std", deviation}});
  io::write_file(found.path, found.json.dump(2) + "\n");
}

}  // namespace rc3::visual::backbone
