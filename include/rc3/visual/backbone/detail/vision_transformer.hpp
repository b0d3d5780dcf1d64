#pragma once
/// Common parts of Vit, ClipVision and SiglipVision: patches, positions, and a stack of pre-norm layers.

#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <memory>

#include "rc3/config/activation.hpp"
#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/nn/transformer_layer.hpp"
#include "rc3/visual/backbone/pixel_norm.hpp"

namespace rc3::visual::backbone {

/// Sizes shared by the three families; each family's options set its defaults.
struct VisionTransformerOptions {
  std::int64_t width = 768;          ///< D, C of the map
  std::int64_t layers = 12;          ///< >= 1
  std::int64_t heads = 12;           ///< H, divides D
  std::int64_t feed_forward = 3072;  ///< inner width of a layer
  std::int64_t image_size = 224;     ///< side of the pre-training images, pixels
  std::int64_t patch_size = 16;      ///< p, side of a patch, pixels
  double norm_eps = 1e-6;            ///< above 0
  double dropout = 0;                ///< in training, probability in [0, 1)
  nn::Activation activation = nn::Activation::gelu;
  PixelNorm pixels;

  std::int64_t grid() const { return image_size / patch_size; }  ///< side of the learned position grid, patches
};

template <class V>
void visit_fields(VisionTransformerOptions& o, V&& v) {
  v("width", o.width, "width of a token", config::above(0));
  v("layers", o.layers, "layers", config::at_least(1));
  v("heads", o.heads, "attention heads; divide the width", config::above(0));
  v("feed_forward", o.feed_forward, "inner width of a layer", config::above(0));
  v("image_size", o.image_size, "side of the pre-training images, pixels", config::above(0));
  v("patch_size", o.patch_size, "side of a patch, pixels", config::above(0));
  v("norm_eps", o.norm_eps, "epsilon of the norms", config::above(0));
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
  v("activation", o.activation, "of the feed-forward layers");
  v("pixels", o.pixels, "normalisation of pixels");
}

namespace detail {

/// Differences between the families.
struct Structure {
  const char* name;  ///< name of the policy, for errors
  bool class_token;  ///< whether a learned token precedes the patches
  bool patch_bias;   ///< whether the patch embedding has a bias
  bool pre_norm;     ///< whether a norm precedes the stack (CLIP)
  bool norm_all;     ///< whether last_hidden has the final norm; else only the pooled token (CLIP)
  bool batch_axis;   ///< whether class token and positions have a leading axis of 1 (ViT)
};

/// Source: Dosovitskiy et al. 2021 (ViT).
class VisionTransformer : public torch::nn::Module {
 public:
  /// @param images  pixels, uint8 or float [B, 3, H, W] in 0..255; H and W multiples of p, or the pre-training size
  /// @return transformers' last_hidden_state, float [B, N, D]: h w patches row by row, after the class token if any
  at::Tensor last_hidden(const Images& images) {
    auto x = embed(normalised(images.pixels));
    for (std::int64_t i = 0; i < options_.layers; ++i) x = layer(i).forward(x, {});
    return structure_.norm_all ? norm_->forward(x) : x;
  }

  /// Patches of last_hidden as a map. @return float [B, C, H/p, W/p]
  at::Tensor features(const Images& images) {
    const auto patches = last_hidden(images).slice(1, structure_.class_token ? 1 : 0);
    const auto h = images.pixels.size(2) / options_.patch_size, w = images.pixels.size(3) / options_.patch_size;
    return patches.transpose(1, 2).reshape({-1, options_.width, h, w});
  }

  /// C: the width of a token.
  std::int64_t channels() const { return options_.width; }

  /// Freezes the embeddings and the first @p count layers (all layers: everything), and unfreezes the others.
  /// @pre 0 <= count <= layers
  void freeze_blocks(std::int64_t count);

 protected:
  VisionTransformer(const VisionTransformerOptions& options, const Structure& structure);

  at::Tensor normalised(const at::Tensor& pixels) const;

  /// @param pixels  float [B, 3, H, W], normalised. @return float [B, N, D]
  at::Tensor embed(const at::Tensor& pixels);

  /// Positions of h x w patches, and of the class token. @return float [1, N, D]
  at::Tensor positions(std::int64_t h, std::int64_t w) const;

  nn::TransformerLayer& layer(std::int64_t i) {
    return *layers_[static_cast<std::size_t>(i)]->as<nn::TransformerLayer>();
  }

  VisionTransformerOptions options_;
  Structure structure_;
  torch::nn::Conv2d patch_{nullptr};
  at::Tensor class_token_, position_;
  torch::nn::LayerNorm pre_norm_{nullptr}, norm_{nullptr};
  torch::nn::ModuleList layers_;
};

inline VisionTransformer::VisionTransformer(const VisionTransformerOptions& options, const Structure& structure)
    : options_(options), structure_(structure) {
  const auto d = options.width, p = options.patch_size;
  require(p > 0 && options.image_size >= p, structure.name, ": image_size ", options.image_size,
          " is smaller than patch_size ", p);
  const auto table = [&](std::int64_t rows, bool vector) {
    const auto values = at::randn({rows, d}) * 0.02;
    if (structure.batch_axis) return values.unsqueeze(0);
    return vector ? values.squeeze(0) : values;
  };
  const auto norm = torch::nn::LayerNormOptions({d}).eps(options.norm_eps);
  patch_ = register_module("patch",
                           torch::nn::Conv2d(torch::nn::Conv2dOptions(3, d, p).stride(p).bias(structure.patch_bias)));
  if (structure.class_token) class_token_ = register_parameter("class_token", table(1, true));
  position_ =
      register_parameter("position", table(options.grid() * options.grid() + (structure.class_token ? 1 : 0), false));
  if (structure.pre_norm) pre_norm_ = register_module("pre_norm", torch::nn::LayerNorm(norm));
  layers_ = register_module("layers", torch::nn::ModuleList());
  for (std::int64_t i = 0; i < options.layers; ++i)
    layers_->push_back(std::make_shared<nn::TransformerLayer>(nn::TransformerLayerOptions{
        d, options.heads, options.feed_forward, options.dropout, options.norm_eps, nn::Norm::pre, options.activation}));
  norm_ = register_module("norm", torch::nn::LayerNorm(norm));
}

inline at::Tensor VisionTransformer::normalised(const at::Tensor& pixels) const {
  check_shape(structure_.name, "pixels", pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
  require(pixels.scalar_type() == at::kByte || pixels.is_floating_point(), structure_.name,
          ": pixels must be uint8 or floating-point numbers in 0..255, are ", pixels.scalar_type());
  // Some checkpoints have pre-training sides that p does not divide (SigLIP so400m: 384, patches of 14); the last rows
  // and columns are then unused. For any other size this would be an error.
  const auto fits = [&](std::int64_t side) { return side % options_.patch_size == 0 || side == options_.image_size; };
  const auto h = pixels.size(2), w = pixels.size(3);
  require(h > 0 && w > 0 && fits(h) && fits(w), structure_.name, ": images of ", w, " x ", h,
          " pixels do not divide into patches of ", options_.patch_size, "; resize them, for example to ",
          options_.image_size, " x ", options_.image_size);
  return options_.pixels(pixels);
}

inline at::Tensor VisionTransformer::embed(const at::Tensor& pixels) {
  const auto map = patch_->forward(pixels.to(patch_->weight.scalar_type()));
  auto x = map.flatten(2).transpose(1, 2);
  if (structure_.class_token)
    x = at::cat({class_token_.view({1, 1, -1}).expand({x.size(0), 1, -1}).to(x.scalar_type()), x}, 1);
  x = nn::dropout(x + positions(map.size(2), map.size(3)), options_.dropout, is_training());
  return structure_.pre_norm ? pre_norm_->forward(x) : x;
}

inline at::Tensor VisionTransformer::positions(std::int64_t h, std::int64_t w) const {
  const auto grid = options_.grid(), d = options_.width;
  const auto learned = position_.view({1, -1, d});
  if (h == grid && w == grid) return learned;
  const std::int64_t before = structure_.class_token ? 1 : 0;
  const auto square = learned.slice(1, before).reshape({1, grid, grid, d}).permute({0, 3, 1, 2});
  const auto other = at::upsample_bicubic2d(square, {h, w}, /*align_corners=*/false).flatten(2).transpose(1, 2);
  return before == 0 ? other : at::cat({learned.slice(1, 0, 1), other}, 1);
}

inline void VisionTransformer::freeze_blocks(std::int64_t count) {
  require(count >= 0 && count <= options_.layers, structure_.name, ": freeze_blocks(", count, "), but there are ",
          options_.layers, " layers");
  nn::freeze(*this, count == options_.layers);
  nn::freeze(*patch_);
  for (at::Tensor* t : {&class_token_, &position_})
    if (t->defined()) t->set_requires_grad(false);
  if (pre_norm_) nn::freeze(*pre_norm_);
  for (std::int64_t i = 0; i < count; ++i) nn::freeze(layer(i));
}

}  // namespace detail
}  // namespace rc3::visual::backbone
