#pragma once
/// Factory of rc3::DefaultModel.

#include <filesystem>
#include <memory>

#include "rc3/fusion/late_interaction_fusion.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "rc3/fwd.hpp"
#include "rc3/model/model.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/backbone/efficientnet_lite.hpp"
#include "rc3/visual/both.hpp"
#include "rc3/visual/patch.hpp"
#include "rc3/visual/roi_from_crops.hpp"

namespace rc3 {

/// Model of regions and patches of one frozen @p backbone, and a frozen text encoder; heads and fusion encoder are
/// new, with random weights.
/// @tparam Backbone  a visual::backbone::Policy
/// @param text       its width is that of all tokens, a multiple of 6
template <class Backbone>
std::shared_ptr<DefaultModelOf<Backbone>> default_model(std::shared_ptr<Backbone> backbone,
                                                        std::shared_ptr<text::Bert> text) {
  using Regions = visual::RoiFromCrops<Backbone>;
  using Patches = visual::Patch<Backbone>;
  text->freeze_lower(text->options().layers);
  const auto d = text->width();
  const auto regions = std::make_shared<Regions>(backbone, visual::RoiFromCropsOptions{.width = d, .dropout = 0.0});
  const auto patches = std::make_shared<Patches>(
      backbone, visual::PatchOptions{.width = d, .grid = 4, .max_patches = 16, .dropout = 0.0});
  const auto inner = std::make_shared<fusion::SingleStream>(
      fusion::SingleStreamOptions{.width = d, .layers = 2, .heads = 6, .feed_forward = 768});
  return std::make_shared<DefaultModelOf<Backbone>>(
      std::make_shared<visual::Both<Regions, Patches>>(regions, patches,
                                                       visual::BothOptions{.drop_regions = 0.3, .drop_patches = 0.3}),
      std::move(text), std::make_shared<fusion::LateInteractionFusion<fusion::SingleStream>>(inner));
}

/// The same with the pretrained encoders of @p weights: the folders multilingual-e5-small and efficientnet-lite0.
/// @throws rc3::Error naming the file that is missing or damaged
inline std::shared_ptr<DefaultModel> default_model(const std::filesystem::path& weights) {
  return default_model(
      visual::backbone::EfficientNetLite0::from_pretrained(weights / "efficientnet-lite0", {.multi_scale = true}),
      text::Bert::from_pretrained(weights / "multilingual-e5-small"));
}

}  // namespace rc3
