#pragma once
/// What the frozen part of a visual policy makes of images, kept in place of their pixels.

#include <c10/core/GradMode.h>

#include <utility>

#include "rc3/core/batch.hpp"

namespace rc3::visual {

/// Replaces pixels by Images::features, float16, where the policy's backbone (that of its patches, for
/// visual::Both) tells what its frozen part makes of them (`lower(pixels)`, undefined where it cannot); else gives the
/// images back as they are.
/// Regions of visual::Both that are seen one by one (`region_features(images)`) and are `frozen()` become
/// Images::regions; images without boxes have none. A policy's result stays the same but for rounding to float16, and
/// its frozen part runs once instead of every epoch.
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
