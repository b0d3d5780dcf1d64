#pragma once
/// What a trained model is allowed to see when it is evaluated: one kind of visual feature, or the wrong picture.

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

/// The last two are controls: what a model still scores with them it does not have from the pictures.
enum class Look {
  all,       ///< everything
  regions,   ///< regions without patches
  patches,   ///< patches without regions
  shuffled,  ///< another question's picture
  blank      ///< one grey picture for all, with one region around it
};

inline constexpr std::array looks{Look::all, Look::regions, Look::patches, Look::shuffled, Look::blank};

inline std::string_view name_of(Look look) {
  constexpr std::array<std::string_view, 5> names{"both", "regions", "patches", "shuffled", "blank"};
  return names[static_cast<std::size_t>(look)];
}

/// @throws rc3::Error for regions or patches that the batch has none of
inline Pictures looked(Pictures pictures, Look look) {
  const auto b = pictures.size();
  const auto bools = at::TensorOptions(pictures.device()).dtype(at::kBool);
  switch (look) {
    case Look::all:
      break;
    case Look::regions:
      require(pictures.boxes.defined() || pictures.regions.defined(), "task::looked: the pictures have no regions");
      pictures.patch_mask = at::zeros({b}, bools);
      break;
    case Look::patches:
      require(pictures.pixels.defined() || pictures.features.defined(), "task::looked: the pictures have no patches");
      if (pictures.region_mask.defined())
        pictures.region_mask = at::zeros_like(pictures.region_mask);
      else if (pictures.boxes.defined())
        pictures.region_mask = at::zeros({b, pictures.boxes.size(1)}, bools);
      break;
    case Look::shuffled: {
      require(b > 1, "task::looked: a batch of one has no other picture");
      // Half a batch away: neighbours are often questions about one picture.
      return pictures.select((at::arange(b, pictures.device()) + b / 2).remainder(b));
    }
    case Look::blank:
      if (pictures.pixels.defined()) pictures.pixels = at::full_like(pictures.pixels, 128);
      if (pictures.features.defined()) pictures.features = at::zeros_like(pictures.features);
      if (pictures.regions.defined()) pictures.regions = at::zeros_like(pictures.regions);
      if (pictures.region_classes.defined())
        pictures.region_classes = at::full_like(pictures.region_classes, 1.0 / pictures.region_classes.size(2));
      if (pictures.boxes.defined()) {
        pictures.boxes = at::zeros_like(pictures.boxes);
        pictures.boxes.select(1, 0).narrow(1, 2, 2).copy_(pictures.sizes);
        pictures.region_mask = at::zeros({b, pictures.boxes.size(1)}, bools);
        pictures.region_mask.select(1, 0).fill_(true);
      }
  }
  return pictures;
}

/// The same of all pictures of a batch.
inline Batch looked(Batch batch, Look look) {
  if (batch.pairs()) batch.right = looked(std::move(batch.right), look);
  batch.pictures = looked(std::move(batch.pictures), look);
  return batch;
}

}  // namespace rc3::task
