#pragma once
/// What the frozen part of a visual policy makes of pictures, kept in place of their pixels.

#include <c10/core/GradMode.h>

#include <utility>

#include "rc3/core/batch.hpp"

namespace rc3::visual {

/// Replaces pixels by Pictures::features, float16, where the policy's backbone (that of its patches, for
/// visual::Both) tells what its frozen part makes of them (`lower(pixels)`, undefined where it cannot); else gives the
/// pictures back as they are.
/// Regions of visual::Both that are seen one by one (`look(pictures)`) and are `frozen()` become Pictures::regions.
/// A policy's result stays the same but for rounding to float16, and its frozen part runs once instead of every epoch.
template <class Visual>
Pictures keep(Visual& visual, Pictures pictures) {
  if constexpr (requires { visual.roi(), visual.patch(); }) {
    if constexpr (requires { visual.roi()->look(pictures); })
      if (pictures.pixels.defined() && !pictures.regions.defined() && visual.roi()->frozen()) {
        c10::NoGradGuard no_grad;
        pictures.regions = visual.roi()->look(pictures).to(at::kHalf);
      }
    return keep(*visual.patch(), std::move(pictures));
  } else if constexpr (requires { visual.backbone()->lower(pictures.pixels); }) {
    if (!pictures.pixels.defined() || pictures.features.defined()) return pictures;
    c10::NoGradGuard no_grad;
    const auto features = visual.backbone()->lower(pictures.pixels);
    if (!features.defined()) return pictures;
    pictures.features = features.to(at::kHalf);
    pictures.pixels = at::Tensor();
  }
  return pictures;
}

}  // namespace rc3::visual
