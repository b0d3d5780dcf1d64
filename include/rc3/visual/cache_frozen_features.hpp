#pragma once
/// Cached outputs of the frozen layers of a visual policy, in place of pixels.

#include <c10/core/GradMode.h>

#include <utility>

#include "rc3/core/batch.hpp"

namespace rc3::visual {

/// Replaces pixels by Images::features, float16, if the policy's backbone (that of the patches for visual::Both) has
/// cacheable frozen layers: `lower(pixels)` is defined. Otherwise returns the images unchanged. Frozen regions of
/// visual::Both with `region_features(images)` become Images::regions; images without boxes have none. The policy's
/// output is unchanged except for rounding to float16, and the frozen layers run once instead of every epoch.
template <class Visual>
Images cache_frozen_features(Visual& visual, Images images) {
  if constexpr (requires { visual.roi(), visual.patch(); }) {
    if constexpr (requires { visual.roi()->region_features(images); })
      if (images.pixels.defined() && images.boxes.defined() && !images.regions.defined() && visual.roi()->frozen()) {
        c10::NoGradGuard no_grad;
        images.regions = visual.roi()->region_features(images).to(at::kHalf);
      }
    return cache_frozen_features(*visual.patch(), std::move(images));
  } else if constexpr (requires { visual.backbone()->lower(images.pixels); }) {
    if (!images.pixels.defined() || images.features.defined()) return images;
    c10::NoGradGuard no_grad;
    const auto features = visual.backbone()->lower(images.pixels);
    if (!features.defined()) return images;
    images.features = features.to(at::kHalf);
    images.pixels = at::Tensor();
  }
  return images;
}

}  // namespace rc3::visual
