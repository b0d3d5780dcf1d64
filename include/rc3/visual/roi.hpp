#pragma once
/// Regions with precomputed detector features.

#include "rc3/visual/concept.hpp"
#include "rc3/visual/region_embedding.hpp"

namespace rc3::visual {

/// Region-of-interest features from a file, as written by bottom-up attention.
class Roi : public torch::nn::Module {
 public:
  /// @param options  `features` must be F of the files
  explicit Roi(RegionEmbeddingOptions options = {})
      : embedding_(register_module("embedding", std::make_shared<RegionEmbedding>(options))) {}

  /// @param images  regions [B, R, F], boxes [B, R, 4], sizes [B, 2], region_mask [B, R] or undefined; neither regions
  ///                nor boxes: R = 0
  /// @return Tokens [B, R, D]
  /// @throws rc3::Error for a missing tensor, another shape, or a box outside its image
  Tokens encode(const Images& images) {
    if (without_regions(images)) return embedding_->none(images);
    const auto b = images.boxes.defined() ? images.boxes.size(0) : Dim::any;
    const auto r = images.boxes.defined() ? images.boxes.size(1) : Dim::any;
    check_shape("visual::Roi", "regions", images.regions, {{'B', b}, {'R', r}, {'F', embedding_->options().features}});
    check_floating("visual::Roi", "regions", images.regions);
    check_boxes("visual::Roi", images);
    return embedding_->forward(images.regions, images);
  }

  std::int64_t width() const { return embedding_->options().width; }  ///< D, of a token
  const RegionEmbeddingOptions& options() const { return embedding_->options(); }

 private:
  std::shared_ptr<RegionEmbedding> embedding_;
};

static_assert(Policy<Roi>);

}  // namespace rc3::visual
