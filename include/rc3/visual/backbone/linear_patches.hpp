#pragma once
/// Linear backbone: one linear map of each square of pixels.

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

/// Sizes of LinearPatches.
struct LinearPatchesOptions {
  std::int64_t channels = 384;   ///< C, > 0
  std::int64_t patch_size = 32;  ///< p, side of a square, pixels, > 0
};

template <class V>
void visit_fields(LinearPatchesOptions& o, V&& v) {
  v("channels", o.channels, "channels of the map", config::above(0));
  v("patch_size", o.patch_size, "side of a square, pixels", config::above(0));
}

/// Non-overlapping p x p squares, each mapped linearly to C numbers. Source: ViT; ViLT (Kim et al. 2021).
class LinearPatches : public torch::nn::Module {
 public:
  /// Random weights.
  explicit LinearPatches(LinearPatchesOptions options = {}) : options_(options) {
    projection_ = register_module(
        "projection",
        torch::nn::Conv2d(
            torch::nn::Conv2dOptions(3, options.channels, options.patch_size).stride(options.patch_size)));
  }

  /// @param images  pixels [B, 3, H, W] in 0..255; H and W multiples of p
  /// @return float [B, C, H/p, W/p]
  /// @throws rc3::Error for another shape, or sides that are no multiples of p
  at::Tensor features(const Images& images) {
    check_shape("visual::backbone::LinearPatches", "pixels", images.pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
    const auto p = options_.patch_size;
    require(images.pixels.size(2) % p == 0 && images.pixels.size(3) % p == 0,
            "visual::backbone::LinearPatches: images of ", images.pixels.size(3), " x ", images.pixels.size(2),
            " pixels do not divide into patches of ", p, "; resize them");
    return projection_->forward(images.pixels.to(projection_->weight.scalar_type()) / 127.5 - 1);
  }

  std::int64_t channels() const { return options_.channels; }  ///< C
  const LinearPatchesOptions& options() const { return options_; }

 private:
  LinearPatchesOptions options_;
  torch::nn::Conv2d projection_{nullptr};
};

static_assert(Policy<LinearPatches>);

}  // namespace rc3::visual::backbone
