#pragma once
/// Regions whose features a detector computed beforehand.

#include "rc3/visual/concept.hpp"
#include "rc3/visual/region_embedding.hpp"

namespace rc3::visual {

/// Region-of-interest features from a file, as bottom-up attention writes them.
class Roi : public torch::nn::Module {
 public:
  explicit Roi(RegionEmbeddingOptions options = {})
      : embedding_(register_module("embedding", std::make_shared<RegionEmbedding>(options))) {}

  /// @param pictures  regions [B, R, F], boxes [B, R, 4], sizes [B, 2], region_mask [B, R] or undefined
  /// @return Tokens [B, R, D]
  /// @throws rc3::Error for a tensor that is missing or of another shape, or a box outside its picture
  Tokens encode(const Pictures& pictures) {
    const auto b = pictures.boxes.defined() ? pictures.boxes.size(0) : Dim::any;
    const auto r = pictures.boxes.defined() ? pictures.boxes.size(1) : Dim::any;
    check_shape("visual::Roi", "regions", pictures.regions,
                {{'B', b}, {'R', r}, {'F', embedding_->options().features}});
    check_floating("visual::Roi", "regions", pictures.regions);
    check_boxes("visual::Roi", pictures);
    return embedding_->forward(pictures.regions, pictures);
  }

  std::int64_t width() const { return embedding_->options().width; }

 private:
  std::shared_ptr<RegionEmbedding> embedding_;
};

static_assert(Policy<Roi>);

}  // namespace rc3::visual
