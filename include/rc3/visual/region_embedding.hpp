#pragma once
/// Visual tokens from region features and boxes, for Roi and RoiFromBackbone.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/linear.hpp"

namespace rc3::visual {

/// Location features of a box, as in VOLTA.
enum class Location {
  five,  ///< x1/W y1/H x2/W y2/H area/(W H)
  seven  ///< x1/W y1/H x2/W y2/H w/W h/H area/(W H)
};

/// @throws rc3::Error naming the sample, the region and the box unless 0 <= x1 < x2 <= W and 0 <= y1 < y2 <= H for
///         every region of the mask
inline void check_boxes(std::string_view policy, const Images& images) {
  const auto b = images.boxes.defined() ? images.boxes.size(0) : Dim::any;
  check_shape(policy, "boxes", images.boxes, {{'B'}, {'R'}, {'4', 4}});
  check_floating(policy, "boxes", images.boxes);
  check_shape(policy, "sizes", images.sizes, {{'B', b}, {'2', 2}});
  check_floating(policy, "sizes", images.sizes);
  const auto x1 = images.boxes.select(2, 0), y1 = images.boxes.select(2, 1);
  const auto x2 = images.boxes.select(2, 2), y2 = images.boxes.select(2, 3);
  const auto w = images.sizes.select(1, 0).unsqueeze(1), h = images.sizes.select(1, 1).unsqueeze(1);
  // Half a thousandth of a pixel: a float32 sum of x and width may exceed the image by a rounding error.
  constexpr double slack = 5e-4;
  auto bad = ~((x1 >= -slack) & (y1 >= -slack) & (x1 < x2) & (y1 < y2) & (x2 <= w + slack) & (y2 <= h + slack));
  if (images.region_mask.defined()) bad = bad & images.region_mask;
  if (!bad.any().item<bool>()) return;
  const auto at = bad.nonzero()[0];
  const auto i = at[0].item<std::int64_t>(), r = at[1].item<std::int64_t>();
  const auto box = images.boxes[i][r], size = images.sizes[i];
  fail(policy, ": sample ", i, ", region ", r, ": box (", box[0].item<double>(), ", ", box[1].item<double>(), ", ",
       box[2].item<double>(), ", ", box[3].item<double>(), ") is not inside its image of ", size[0].item<double>(),
       " x ", size[1].item<double>(), " pixels; want 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height");
}

/// Whether no image of the batch has a region: boxes and regions are undefined, or there are 0 of them.
inline bool without_regions(const Images& images) {
  if (images.boxes.defined()) return images.boxes.dim() == 3 && images.boxes.size(1) == 0;
  return !images.regions.defined() && images.size() > 0;
}

/// Mask of regions: Images::region_mask, or all true if undefined. @return bool [B, R]
inline at::Tensor region_mask(const Images& images) {
  if (images.region_mask.defined()) return images.region_mask;
  const auto& boxes = images.boxes;
  return at::ones({boxes.size(0), boxes.size(1)}, boxes.options().dtype(at::kBool));
}

/// @param boxes  float [B, R, 4], x1 y1 x2 y2 in pixels
/// @param sizes  float [B, 2], width and height of the image in pixels
/// @return float [B, R, 5 or 7]
inline at::Tensor location_encoding(const at::Tensor& boxes, const at::Tensor& sizes, Location location) {
  const auto scaled = boxes / at::cat({sizes, sizes}, 1).unsqueeze(1);
  const auto w = scaled.select(2, 2) - scaled.select(2, 0), h = scaled.select(2, 3) - scaled.select(2, 1);
  const auto area = (w * h).unsqueeze(2);
  if (location == Location::five) return at::cat({scaled, area}, 2);
  return at::cat({scaled, at::stack({w, h}, 2), area}, 2);
}

/// Sizes of a RegionEmbedding, and the form of its boxes.
struct RegionEmbeddingOptions {
  std::int64_t features = 2048;        ///< F, width of a region's features; 2048 in files of bottom-up attention
  std::int64_t width = 384;            ///< D, > 0
  Location location = Location::five;  ///< form of the encoded box
  double dropout = 0.1;                ///< in training, probability in [0, 1)
};

template <class V>
void visit_fields(RegionEmbeddingOptions& o, V&& v) {
  v("features", o.features, "width of a region's features", config::above(0));
  v("width", o.width, "width of a token", config::above(0));
  v("location", o.location, "numbers that encode a box");
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
}

/// LayerNorm(W_f feature + W_l location), then dropout. Source: VOLTA's controlled models (Bugliarello et al. 2021).
class RegionEmbedding : public torch::nn::Module {
 public:
  /// Random weights.
  explicit RegionEmbedding(RegionEmbeddingOptions options) : options_(options) {
    const std::int64_t numbers = options.location == Location::five ? 5 : 7;
    feature_ = register_module("feature", torch::nn::Linear(options.features, options.width));
    location_ = register_module("location", torch::nn::Linear(numbers, options.width));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})));
  }

  /// @param features  float [B, R, F]
  /// @param images    boxes [B, R, 4], sizes [B, 2], region_mask [B, R] or undefined
  /// @return Tokens [B, R, D]; rows outside the region mask are zero
  Tokens forward(const at::Tensor& features, const Images& images) {
    const auto mask = region_mask(images);
    // Values outside the mask are arbitrary, including images of size 0: 0 / 0 would corrupt the gradients.
    const auto outside = ~mask.unsqueeze(-1);
    const auto where = location_encoding(images.boxes, images.sizes, options_.location).masked_fill(outside, 0);
    auto x = norm_->forward(nn::linear(feature_, features.masked_fill(outside, 0)) + nn::linear(location_, where));
    x = nn::dropout(x, options_.dropout, is_training());
    return {x * mask.unsqueeze(-1), mask};
  }

  /// The tokens of a batch without regions. @return Tokens [B, 0, D]
  Tokens none(const Images& images) const {
    const auto& weight = feature_->weight;
    return {at::zeros({images.size(), 0, options_.width}, weight.options().requires_grad(false)),
            at::zeros({images.size(), 0}, weight.options().requires_grad(false).dtype(at::kBool))};
  }

  const RegionEmbeddingOptions& options() const { return options_; }

 private:
  RegionEmbeddingOptions options_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear feature_{nullptr}, location_{nullptr};
};

}  // namespace rc3::visual

namespace rc3::config {

template <>
struct Names<visual::Location> {
  static constexpr const char* all[] = {"five", "seven"};
};

}  // namespace rc3::config
