#pragma once
/// Patches: a backbone's feature map as a sequence of tokens.

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool1d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <tuple>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/visual/concept.hpp"
#include "rc3/visual/summary.hpp"

namespace rc3::visual {

/// Sizes of a Patch encoder.
struct PatchOptions {
  std::int64_t width = 384;       ///< D, > 0
  std::int64_t grid = 7;          ///< side of the learned position embedding, >= 1; interpolated for other maps
  std::int64_t max_patches = 49;  ///< a map of more cells is first averaged to grid x grid, >= 1
  double dropout = 0.1;           ///< in training, probability in [0, 1)
};

template <class V>
void visit_fields(PatchOptions& o, V&& v) {
  v("width", o.width, "width of a token", config::above(0));
  v("grid", o.grid, "side of the learned position embedding", config::at_least(1));
  v("max_patches", o.max_patches, "a map of more cells is first averaged to grid x grid", config::at_least(1));
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
}

/// One token for each cell of the map: LayerNorm(W feature + position), then dropout.
/// @tparam Backbone  a backbone::Policy; its map [B, C, h, w] has P = h w patches, row by row
template <class Backbone>
class Patch : public torch::nn::Module {
  static_assert(backbone::Diagnosis<Backbone>::said);

 public:
  /// @param backbone  shared, for example with visual::RoiFromBackbone
  explicit Patch(std::shared_ptr<Backbone> backbone, PatchOptions options = {})
      : options_(options), backbone_(register_module("backbone", std::move(backbone))) {
    const auto c = backbone_->channels();
    feature_ = register_module("feature", torch::nn::Linear(c, options.width));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width})));
    position_ = register_parameter("position", at::randn({1, options.width, options.grid, options.grid}) * 0.02);
  }

  /// @return Tokens [B, P, D]; samples outside images.patch_mask have no patches
  Tokens encode(const Images& images) { return encode_map(backbone_->features(images), images); }

  /// The same, from the backbone's map [B, C, h, w].
  /// @throws rc3::Error for a map of other channels, or a patch_mask of another size
  Tokens encode_map(at::Tensor map, const Images& images) {
    check_shape("visual::Patch", "map", map, {{'B'}, {'C', backbone_->channels()}, {'h'}, {'w'}});
    const auto summary = summary_of(map);
    if (map.size(2) * map.size(3) > options_.max_patches) map = averaged(map);
    // A 1x1 convolution: the map is stored channel by channel, and a Linear would copy it first.
    const auto features = at::conv2d(map, feature_->weight.unsqueeze(2).unsqueeze(3), feature_->bias);
    const auto where = position(map.size(2), map.size(3));
    auto x = norm_->forward((features + where).flatten(2).transpose(1, 2));
    x = nn::dropout(x, options_.dropout, is_training());
    auto mask = at::ones({x.size(0), x.size(1)}, x.options().dtype(at::kBool));
    if (images.patch_mask.defined()) {
      check_shape("visual::Patch", "patch_mask", images.patch_mask, {{'B', map.size(0)}});
      mask = mask & images.patch_mask.unsqueeze(1);
    }
    return {x * mask.unsqueeze(-1), mask, summary * mask.any(1, true)};
  }

  std::int64_t width() const { return options_.width; }  ///< D, of a token
  /// S: mean and maximum of each channel of the map.
  std::int64_t summary_width() const { return 2 * backbone_->channels(); }
  const std::shared_ptr<Backbone>& backbone() const { return backbone_; }  ///< may be shared with other policies
  const PatchOptions& options() const { return options_; }
  /// The backbone, for rc3::save.
  std::tuple<std::shared_ptr<Backbone>> parts() const { return {backbone_}; }

 private:
  at::Tensor position(std::int64_t h, std::int64_t w) const {
    if (h == options_.grid && w == options_.grid) return position_;
    return at::upsample_bicubic2d(position_, {h, w}, /*align_corners=*/false);
  }

  /// adaptive_avg_pool2d to grid x grid as one matrix product, in a half to a fifth of the time.
  at::Tensor averaged(const at::Tensor& map) const {
    const auto g = options_.grid, h = map.size(2), w = map.size(3);
    const auto along = [&](std::int64_t n) {  // [n, g]: overlap of each of n cells with each of g
      return at::adaptive_avg_pool1d(at::eye(n, map.options()), g);
    };
    const auto shares = (along(h).view({h, 1, g, 1}) * along(w).view({1, w, 1, g})).view({h * w, g * g});
    return map.flatten(2).matmul(shares).view({map.size(0), map.size(1), g, g});
  }

  PatchOptions options_;
  std::shared_ptr<Backbone> backbone_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear feature_{nullptr};
  at::Tensor position_;
};

}  // namespace rc3::visual
