#pragma once
/// Regions pooled from a backbone's feature map, without detector files.

#include <memory>
#include <tuple>

#include "rc3/visual/concept.hpp"
#include "rc3/visual/region_embedding.hpp"
#include "rc3/visual/roi_align.hpp"

namespace rc3::visual {

/// Sizes of regions that are sampled from a feature map.
struct RoiFromBackboneOptions {
  std::int64_t width = 384;            ///< D, > 0
  std::int64_t grid = 4;               ///< bilinear samples along each side of a box, >= 1
  Location location = Location::five;  ///< form of the encoded box
  double dropout = 0.1;                ///< in training, probability in [0, 1)
};

template <class V>
void visit_fields(RoiFromBackboneOptions& o, V&& v) {
  v("width", o.width, "width of a token", config::above(0));
  v("grid", o.grid, "bilinear samples along each side of a box", config::at_least(1));
  v("location", o.location, "numbers that encode a box");
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
}

/// RoIAlign of the batch's boxes on the map of @p Backbone.
/// @tparam Backbone  a backbone::Policy; if visual::Patch shares it, visual::Both runs it once
template <class Backbone>
class RoiFromBackbone : public torch::nn::Module {
  static_assert(backbone::Diagnosis<Backbone>::said);

 public:
  /// @param backbone  shared, for example with visual::Patch; F of the region embedding is its C
  explicit RoiFromBackbone(std::shared_ptr<Backbone> backbone, RoiFromBackboneOptions options = {})
      : options_(options), backbone_(register_module("backbone", std::move(backbone))) {
    embedding_ =
        register_module("embedding", std::make_shared<RegionEmbedding>(RegionEmbeddingOptions{
                                         backbone_->channels(), options.width, options.location, options.dropout}));
  }

  /// @param images  pixels or features for the backbone, boxes [B, R, 4], sizes [B, 2], region_mask or undefined;
  ///                no boxes: R = 0
  /// @return Tokens [B, R, D]
  /// @throws rc3::Error for a box outside its image
  Tokens encode(const Images& images) {
    if (without_regions(images)) return embedding_->none(images);
    return encode_map(backbone_->features(images), images);
  }

  /// The same, from the backbone's map [B, C, h, w].
  /// @throws rc3::Error for a box outside its image
  Tokens encode_map(const at::Tensor& map, const Images& images) {
    if (without_regions(images)) return embedding_->none(images);
    check_boxes("visual::RoiFromBackbone", images);
    return embedding_->forward(roi_align(map, images.boxes, images.sizes, options_.grid), images);
  }

  std::int64_t width() const { return options_.width; }                    ///< D, of a token
  const std::shared_ptr<Backbone>& backbone() const { return backbone_; }  ///< may be shared with other policies
  const RoiFromBackboneOptions& options() const { return options_; }
  /// The backbone, for rc3::save.
  std::tuple<std::shared_ptr<Backbone>> parts() const { return {backbone_}; }

 private:
  RoiFromBackboneOptions options_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<RegionEmbedding> embedding_;
};

}  // namespace rc3::visual
