#pragma once
/// Tensor input of a pretrained vision model from images of any size.

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "rc3/core/check.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/image/concept.hpp"
#include "rc3/preprocess/fit.hpp"
#include "rc3/preprocess/open_clip.hpp"
#include "rc3/preprocess/options.hpp"

namespace rc3::preprocess {

/// Background, resize and centre crop on bytes, then rescaling and normalisation, as in transformers' Pillow image
/// processors. The first half produces Images::pixels; backbones do the second.
class Preprocess {
 public:
  /// Steps that do not fit together are an rc3::Error at the first image.
  explicit Preprocess(PreprocessOptions options) : options_(std::move(options)) {}

  /// Reads the configuration of transformers or open_clip in @p folder.
  /// @throws rc3::Error as PreprocessOptions::from_pretrained or open_clip_options does
  static Preprocess from_pretrained(const std::filesystem::path& folder) {
    return Preprocess(io::is_open_clip(folder) ? open_clip_options(folder)
                                               : PreprocessOptions::from_pretrained(folder));
  }

  const PreprocessOptions& options() const { return options_; }

  /// @return uint8 [3, H, W], RGB, 0..255
  at::Tensor operator()(const io::Image& image) const {
    io::Image flat = fit(image, options_);
    const auto pixels = at::from_blob(flat.rgba.data(), {flat.height, flat.width, 4}, at::kByte);
    // `flat` ends here, and contiguous() would copy nothing of a single pixel.
    return pixels.narrow(2, 0, 3).permute({2, 0, 1}).clone(at::MemoryFormat::Contiguous);
  }

  /// @return uint8 [B, 3, H, W], for Images::pixels
  /// @throws rc3::Error if the results have different sizes
  at::Tensor operator()(std::span<const io::Image> images) const {
    require(!images.empty(), "preprocess::Preprocess: no images");
    std::vector<at::Tensor> all;
    for (const io::Image& image : images) {
      all.push_back((*this)(image));
      require(all.back().sizes() == all.front().sizes(), "preprocess::Preprocess: image ", all.size() - 1, " becomes ",
              all.back().sizes(), ", the first ", all.front().sizes(), "; set a crop, or a size with both sides");
    }
    return at::stack(all);
  }

  /// (pixels * rescale - mean) / std.
  /// @param pixels  uint8 or float [B, 3, H, W], 0..255
  /// @return float [B, 3, H, W]
  /// @throws rc3::Error for another shape
  at::Tensor normalize(const at::Tensor& pixels) const {
    check_shape("preprocess::Preprocess", "pixels", pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
    const auto channels = [&](const std::array<double, 3>& values) {
      return at::tensor(at::ArrayRef<double>(values.data(), 3), pixels.options().dtype(at::kFloat)).view({1, 3, 1, 1});
    };
    // The product in double, rounded once, is NumPy's in transformers: the results are bitwise equal.
    const auto rescaled = pixels.to(at::kDouble).mul_(options_.rescale).to(at::kFloat);
    return rescaled.sub(channels(options_.mean)).div_(channels(options_.std));
  }

 private:
  PreprocessOptions options_;
};

}  // namespace rc3::preprocess
