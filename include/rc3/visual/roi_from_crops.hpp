#pragma once
/// Regions encoded one by one: each is cropped, resized and passed through the backbone.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "rc3/core/nn/state.hpp"
#include "rc3/visual/concept.hpp"
#include "rc3/visual/region_embedding.hpp"
#include "rc3/visual/summary.hpp"

namespace rc3::visual {

/// Square crops, each centred on a box with a margin, sampled bilinearly at pixel centres. Samples outside the image
/// take the value at its border. Source: Girshick et al. 2014 (R-CNN), with the aspect ratio kept.
/// @param pixels  uint8 or float [B, 3, H, W]
/// @param boxes   float [B, R, 4], x1 y1 x2 y2 in pixels of images of @p sizes, float [B, 2]
/// @param which   int64 [n, 2], image and box of each crop
/// @param side    side of a crop, pixels
/// @param margin  margin relative to the box's longer side
/// @return float [n, 3, side, side]
/// @throws rc3::Error for pixels or boxes of another shape
inline at::Tensor crop_regions(const at::Tensor& pixels, const at::Tensor& boxes, const at::Tensor& sizes,
                               const at::Tensor& which, std::int64_t side, double margin) {
  check_shape("visual::crop_regions", "pixels", pixels, {{'B'}, {'3', 3}, {'H'}, {'W'}});
  check_shape("visual::crop_regions", "boxes", boxes, {{'B', pixels.size(0)}, {'R'}, {'4', 4}});
  const auto n = which.size(0);
  const auto image = which.select(1, 0);
  const auto box = boxes.index({image, which.select(1, 1)}).to(at::kFloat);  // [n, 4]
  const auto size = sizes.index_select(0, image).to(at::kFloat);             // [n, 2]
  const auto low = box.narrow(1, 0, 2), high = box.narrow(1, 2, 2);
  const auto extent = (high - low).amax(1, /*keepdim=*/true) * (1 + margin);  // [n, 1]
  const auto steps = (at::arange(side, box.options()) + 0.5) / static_cast<double>(side) - 0.5;
  // In grid_sample's -1..1. [n, 2, side]
  const auto where = (((low + high) / 2).unsqueeze(2) + extent.unsqueeze(2) * steps) / size.unsqueeze(2) * 2 - 1;
  const auto x = where.select(1, 0).unsqueeze(1).expand({n, side, side});
  const auto y = where.select(1, 1).unsqueeze(2).expand({n, side, side});
  constexpr std::int64_t bilinear = 0, border = 1;
  return at::grid_sampler_2d(pixels.index_select(0, image).to(at::kFloat), at::stack({x, y}, 3).clamp(-1, 1), bilinear,
                             border, /*align_corners=*/false);
}

/// Sizes of regions that pass the backbone as crops.
struct RoiFromCropsOptions {
  std::int64_t width = 384;            ///< D, > 0
  std::int64_t side = 96;              ///< side of a crop, pixels, a multiple of the backbone's stride
  double margin = 0.05;                ///< margin around a box, relative to its longer side, >= 0
  Location location = Location::five;  ///< form of the encoded box
  double dropout = 0.1;                ///< in training, probability in [0, 1)
};

template <class V>
void visit_fields(RoiFromCropsOptions& o, V&& v) {
  v("width", o.width, "width of a token", config::above(0));
  v("side", o.side, "side of a crop, pixels", config::above(0));
  v("margin", o.margin, "margin around a box, relative to its longer side", config::at_least(0));
  v("location", o.location, "numbers that encode a box");
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
}

/// Region features by @p Backbone: mean and maximum of each channel of a region's map. They have the form of
/// visual::Patch's summary of a whole image, so the image head also embeds regions: Tokens::summaries. Each region
/// costs (side / 224)^2 of an image's pass. If the backbone is frozen, visual::cache_frozen_features caches the
/// features as Images::regions.
/// @tparam Backbone  a backbone::Policy; may be shared with visual::Patch
template <class Backbone>
class RoiFromCrops : public torch::nn::Module {
  static_assert(backbone::Diagnosis<Backbone>::said);

 public:
  /// @throws rc3::Error for a side that is not above 0, or a negative margin
  explicit RoiFromCrops(std::shared_ptr<Backbone> backbone, RoiFromCropsOptions options = {})
      : options_(options), backbone_(register_module("backbone", std::move(backbone))) {
    require(options.side > 0 && options.margin >= 0,
            "visual::RoiFromCrops: side must be above 0 and margin not below, are ", options.side, " and ",
            options.margin);
    embedding_ = register_module("embedding", std::make_shared<RegionEmbedding>(RegionEmbeddingOptions{
                                                  summary_width(), options.width, options.location, options.dropout}));
  }

  /// @param images  regions [B, R, 2C] from region_features(), else pixels; boxes [B, R, 4], sizes [B, 2]; region_mask
  ///                or undefined; neither regions nor boxes: R = 0
  /// @return Tokens [B, R, D] with summaries [B, R, 2C]
  /// @throws rc3::Error for a box outside its image
  Tokens encode(const Images& images) {
    if (without_regions(images)) {
      auto none = embedding_->none(images);
      none.summaries = at::zeros({images.size(), 0, summary_width()}, none.values.options());
      return none;
    }
    check_boxes("visual::RoiFromCrops", images);
    const auto summaries = images.regions.defined() ? images.regions.to(at::kFloat) : region_features(images);
    check_shape("visual::RoiFromCrops", "regions", summaries,
                {{'B', images.boxes.size(0)}, {'R', images.boxes.size(1)}, {'S', summary_width()}});
    auto tokens = embedding_->forward(summaries, images);
    tokens.summaries = summaries * tokens.mask.unsqueeze(2);
    return tokens;
  }

  /// Features of each region. @return float [B, R, 2C], zero outside the region mask
  /// @throws rc3::Error when the batch has no boxes
  at::Tensor region_features(const Images& images) {
    check_shape("visual::RoiFromCrops", "boxes", images.boxes, {{'B'}, {'R'}, {'4', 4}});
    const auto& boxes = images.boxes;
    const auto which = region_mask(images).nonzero();  // [n, 2]
    constexpr std::int64_t at_once = 64;
    std::vector<at::Tensor> seen;
    for (std::int64_t begin = 0; begin < which.size(0); begin += at_once) {
      const auto some = which.narrow(0, begin, std::min(at_once, which.size(0) - begin));
      Images crops;
      crops.pixels = crop_regions(images.pixels, boxes, images.sizes, some, options_.side, options_.margin);
      seen.push_back(summary_of(backbone_->features(crops)).to(at::kFloat));
    }
    const auto all = at::zeros({boxes.size(0), boxes.size(1), summary_width()}, boxes.options().dtype(at::kFloat));
    if (seen.empty()) return all;
    return all.index_put({which.select(1, 0), which.select(1, 1)}, at::cat(seen));
  }

  /// Whether region_features() is constant during training.
  bool frozen() const { return nn::count_parameters(*backbone_).trainable == 0; }

  std::int64_t width() const { return options_.width; }  ///< D, of a token
  /// S: mean and maximum of each channel of a region's map.
  std::int64_t summary_width() const { return 2 * backbone_->channels(); }
  const RoiFromCropsOptions& options() const { return options_; }
  /// The backbone, for rc3::save.
  std::tuple<std::shared_ptr<Backbone>> parts() const { return {backbone_}; }

 private:
  RoiFromCropsOptions options_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<RegionEmbedding> embedding_;
};

}  // namespace rc3::visual
