#pragma once
/// Ablation at evaluation: a trained model with one type of visual feature only, or with the wrong image.

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/task/batch.hpp"

namespace rc3::task {

/// Visual input removed from a model at evaluation. The last two are controls: a score that survives them does not come
/// from the images.
enum class Ablation {
  none,          ///< nothing is removed
  regions_only,  ///< regions without patches
  patches_only,  ///< patches without regions
  shuffled,      ///< the image of another question
  blank          ///< one grey image for all, with one region that covers it
};

/// In the order of the enumeration.
inline constexpr std::array ablations{Ablation::none, Ablation::regions_only, Ablation::patches_only,
                                      Ablation::shuffled, Ablation::blank};

/// "both", "regions", "patches", "shuffled" or "blank", as in Score::ablation.
inline std::string_view name_of(Ablation ablation) {
  constexpr std::array<std::string_view, 5> names{"both", "regions", "patches", "shuffled", "blank"};
  return names[static_cast<std::size_t>(ablation)];
}

/// @throws rc3::Error for regions or patches that are missing in the batch
/// @throws rc3::Error for Ablation::shuffled of a batch of one
inline Images ablate(Images images, Ablation ablation) {
  const auto b = images.size();
  const auto bools = at::TensorOptions(images.device()).dtype(at::kBool);
  switch (ablation) {
    case Ablation::none:
      break;
    case Ablation::regions_only:
      require(images.boxes.defined() || images.regions.defined(), "task::ablate: the images have no regions");
      images.patch_mask = at::zeros({b}, bools);
      break;
    case Ablation::patches_only:
      require(images.pixels.defined() || images.features.defined(), "task::ablate: the images have no patches");
      if (images.region_mask.defined())
        images.region_mask = at::zeros_like(images.region_mask);
      else if (images.boxes.defined())
        images.region_mask = at::zeros({b, images.boxes.size(1)}, bools);
      break;
    case Ablation::shuffled: {
      require(b > 1, "task::ablate: a batch of one has no other image");
      // An offset of half a batch: adjacent examples are often questions about one image.
      return images.select((at::arange(b, images.device()) + b / 2).remainder(b));
    }
    case Ablation::blank:
      if (images.pixels.defined()) images.pixels = at::full_like(images.pixels, 128);
      if (images.features.defined()) images.features = at::zeros_like(images.features);
      if (images.regions.defined()) images.regions = at::zeros_like(images.regions);
      if (images.region_classes.defined())
        images.region_classes =
            at::full_like(images.region_classes, 1.0 / static_cast<double>(images.region_classes.size(2)));
      if (images.boxes.defined()) {
        images.boxes = at::zeros_like(images.boxes);
        images.boxes.select(1, 0).narrow(1, 2, 2).copy_(images.sizes);
        images.region_mask = at::zeros({b, images.boxes.size(1)}, bools);
        images.region_mask.select(1, 0).fill_(true);
      }
  }
  return images;
}

/// Ablation of all images of a batch.
inline ExampleBatch ablate(ExampleBatch batch, Ablation ablation) {
  if (batch.pairs()) batch.right = ablate(std::move(batch.right), ablation);
  batch.images = ablate(std::move(batch.images), ablation);
  return batch;
}

}  // namespace rc3::task
