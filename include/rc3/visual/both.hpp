#pragma once
/// Combination of regions and patches, as proposed by RC³.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <torch/nn/module.h>

#include <memory>
#include <tuple>
#include <utility>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual {

/// How often training leaves out regions or patches.
struct BothOptions {
  double drop_regions = 0.1;  ///< in training, probability that a sample loses its regions, in [0, 1)
  double drop_patches = 0.1;  ///< the same for its patches; drop_regions + drop_patches <= 1, never both
};

template <class V>
void visit_fields(BothOptions& o, V&& v) {
  v("drop_regions", o.drop_regions, "in training, probability that a sample loses its regions",
    config::from_to_below(0, 1));
  v("drop_patches", o.drop_patches, "the same for its patches", config::from_to_below(0, 1));
}

/// [regions; patches] with a learned embedding for each modality and a mask for each sample. A batch may mix samples
/// with regions only, patches only and both. Modality dropout trains one model for all three.
/// @tparam RoiPolicy    visual::Roi, visual::RoiFromBackbone<...> or a custom policy
/// @tparam PatchPolicy  visual::Patch<...> or a custom policy
template <class RoiPolicy, class PatchPolicy>
class Both : public torch::nn::Module {
  static constexpr bool regions_ok = Policy<RoiPolicy>;
  static constexpr bool patches_ok = Policy<PatchPolicy>;
  static_assert(regions_ok,
                "visual::Both<Roi, Patch>: Roi must be a visual policy: encode(const Images&) returning Tokens, and "
                "width() [docs/concepts/visual.md]");
  static_assert(patches_ok,
                "visual::Both<Roi, Patch>: Patch must be a visual policy: encode(const Images&) returning Tokens, and "
                "width() [docs/concepts/visual.md]");

 public:
  /// @throws rc3::Error if the widths differ, or for probabilities below 0 or above 1 in sum
  Both(std::shared_ptr<RoiPolicy> roi, std::shared_ptr<PatchPolicy> patch, BothOptions options = {})
      : options_(options),
        roi_(register_module("roi", std::move(roi))),
        patch_(register_module("patch", std::move(patch))) {
    require(roi_->width() == patch_->width(), "visual::Both: regions are ", roi_->width(), " wide and patches ",
            patch_->width(), "; give both the same width");
    require(options.drop_regions >= 0 && options.drop_patches >= 0 && options.drop_regions + options.drop_patches <= 1,
            "visual::Both: drop_regions ", options.drop_regions, " and drop_patches ", options.drop_patches,
            " must not be negative, and 1 at most in sum");
    modality_ = register_parameter("modality", at::randn({2, roi_->width()}) * 0.02);
  }

  /// @return Tokens [B, R + P, D], regions first; rows outside the mask are zero. The summary is that of the patches;
  ///         the summaries are those of the regions
  /// @throws rc3::Error for a sample with neither regions nor patches
  Tokens encode(const Images& images) {
    auto [regions, patches] = encode_parts(images);
    if (is_training()) drop_modality(regions, patches);
    const auto mask = at::cat({regions.mask, patches.mask}, 1);
    const auto seen = mask.any(1);
    if (!seen.all().template item<bool>())
      fail("visual::Both: sample ", (~seen).nonzero()[0].template item<std::int64_t>(),
           " has neither regions nor patches; drop it, or set its region_mask or patch_mask");
    const auto values = at::cat({regions.values + modality_[0], patches.values + modality_[1]}, 1);
    return {values * mask.unsqueeze(-1), mask, patches.summary, regions.summaries};
  }

  std::int64_t width() const { return roi_->width(); }  ///< D, of regions and patches
  /// S: width of the patches' summary.
  std::int64_t summary_width() const requires requires(const PatchPolicy& p) { p.summary_width(); }
  { return patch_->summary_width(); }
  const std::shared_ptr<RoiPolicy>& roi() const { return roi_; }        ///< of the first R tokens
  const std::shared_ptr<PatchPolicy>& patch() const { return patch_; }  ///< of the P tokens after them
  const BothOptions& options() const { return options_; }
  /// Region and patch policy, for rc3::save.
  std::tuple<std::shared_ptr<RoiPolicy>, std::shared_ptr<PatchPolicy>> parts() const { return {roi_, patch_}; }

 private:
  std::pair<Tokens, Tokens> encode_parts(const Images& images) {
    // Policies with one backbone share its map.
    if constexpr (requires { roi_->backbone() == patch_->backbone(); })
      if (roi_->backbone() == patch_->backbone()) {
        const auto map = roi_->backbone()->features(images);
        return {roi_->encode_map(map, images), patch_->encode_map(map, images)};
      }
    return {roi_->encode(images), patch_->encode(images)};
  }

  void drop_modality(Tokens& regions, Tokens& patches) const {
    if (options_.drop_regions + options_.drop_patches == 0) return;
    const auto both = regions.mask.any(1) & patches.mask.any(1);
    const auto draw = at::rand({both.size(0)}, regions.values.options());
    const auto without_regions = both & (draw < options_.drop_regions);
    const auto without_patches = both & (draw >= 1 - options_.drop_patches);
    regions.mask = regions.mask & ~without_regions.unsqueeze(1);
    patches.mask = patches.mask & ~without_patches.unsqueeze(1);
    if (patches.summary.defined()) patches.summary = patches.summary * ~without_patches.unsqueeze(1);
    if (regions.summaries.defined()) regions.summaries = regions.summaries * regions.mask.unsqueeze(2);
  }

  BothOptions options_;
  std::shared_ptr<RoiPolicy> roi_;
  std::shared_ptr<PatchPolicy> patch_;
  at::Tensor modality_;
};

}  // namespace rc3::visual
