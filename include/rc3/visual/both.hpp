#pragma once
/// Regions and patches together: the composition that RC³ proposes.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual {

struct BothOptions {
  double drop_regions = 0.1;  ///< in training, probability that a sample goes without its regions, in [0, 1)
  double drop_patches = 0.1;  ///< the same for its patches; drop_regions + drop_patches <= 1, never both at once
};

/// [regions; patches] with a learned embedding for each modality and a mask for each sample, so that a batch may mix
/// samples with regions only, patches only and both. Modality dropout teaches one model to serve all three.
/// @tparam RoiPolicy    visual::Roi, visual::RoiFromBackbone<...> or a user's own
/// @tparam PatchPolicy  visual::Patch<...> or a user's own
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

  /// @return Tokens [B, R + P, D], regions first; rows outside the mask are zero. The summary is that
  ///         of the patches, the summaries are those of the regions
  /// @throws rc3::Error for a sample with neither regions nor patches
  Tokens encode(const Images& images) {
    auto [regions, patches] = parts(images);
    if (is_training()) drop_modality(regions, patches);
    const auto mask = at::cat({regions.mask, patches.mask}, 1);
    const auto seen = mask.any(1);
    if (!seen.all().template item<bool>())
      fail("visual::Both: sample ", (~seen).nonzero()[0].template item<std::int64_t>(),
           " has neither regions nor patches; drop it, or set its region_mask or patch_mask");
    const auto values = at::cat({regions.values + modality_[0], patches.values + modality_[1]}, 1);
    return {values * mask.unsqueeze(-1), mask, patches.summary, regions.summaries};
  }

  std::int64_t width() const { return roi_->width(); }
  /// S: that of the patches.
  std::int64_t summary_width() const requires requires(const PatchPolicy& p) { p.summary_width(); }
  { return patch_->summary_width(); }
  const std::shared_ptr<RoiPolicy>& roi() const { return roi_; }
  const std::shared_ptr<PatchPolicy>& patch() const { return patch_; }

 private:
  std::pair<Tokens, Tokens> parts(const Images& images) {
    const bool regions = images.boxes.defined() || images.regions.defined();
    const bool patches = images.pixels.defined() || images.features.defined();
    require(regions || patches, "visual::Both: the batch has neither regions nor patches");
    if (!regions) return {none(images, summaries_like()), patch_->encode(images)};
    if (!patches) {
      auto seen = none(images, {});
      if constexpr (requires { patch_->summary_width(); })
        seen.summary = at::zeros({images.size(), patch_->summary_width()}, modality_.options());
      return {roi_->encode(images), std::move(seen)};
    }
    // Two policies on one backbone: one pass serves both.
    if constexpr (requires { roi_->backbone() == patch_->backbone(); })
      if (roi_->backbone() == patch_->backbone()) {
        const auto map = roi_->backbone()->features(images);
        return {roi_->encode_map(map, images), patch_->encode_map(map, images)};
      }
    return {roi_->encode(images), patch_->encode(images)};
  }

  /// No token of any image. @param summary_width  of the summaries; nothing: there are none
  Tokens none(const Images& images, std::optional<std::int64_t> summary_width) const {
    const auto b = images.size();
    Tokens tokens{at::zeros({b, 0, width()}, modality_.options()),
                  at::zeros({b, 0}, modality_.options().dtype(at::kBool))};
    if (summary_width) tokens.summaries = at::zeros({b, 0, *summary_width}, modality_.options());
    return tokens;
  }
  /// S of the regions' summaries; nothing where the policy gives none.
  std::optional<std::int64_t> summaries_like() const {
    if constexpr (requires { roi_->summary_width(); })
      return roi_->summary_width();
    else
      return std::nullopt;
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
