#pragma once
/// Masked region modelling: prediction of the hidden regions of an image.

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/xlogy.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <vector>

#include "rc3/core/nn/to_float32.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/detail/fuse_tokens.hpp"
#include "rc3/objective/detail/masking.hpp"
#include "rc3/objective/forward_cache.hpp"

namespace rc3::objective {

/// Which regions Mrm masks.
struct MrmOptions {
  double fraction = 0.15;  ///< share of the regions, in (0, 1]; at least one per batch
  std::uint64_t seed = 1;  ///< seed of the draw, together with the step
};

/// Target of a masked region: its features, with the mean squared error (MRFR of UNITER).
struct RegionFeatures {
  static constexpr const char* name = "regions";  ///< of the tensor, in errors
  /// @return float [B, R, F]; undefined without detector features
  static const at::Tensor& of(const Images& images) { return images.regions; }
  /// @param said, target  float [M, F], the masked regions
  /// @return scalar >= 0, mean over M and F
  static at::Tensor loss(const at::Tensor& said, const at::Tensor& target) { return at::mse_loss(said, target); }
};

/// Target of a masked region: the detector's classes, with KL(target || softmax(predicted)) (MRC-kl of UNITER).
struct RegionClasses {
  static constexpr const char* name = "region_classes";  ///< of the tensor, in errors
  /// @return float [B, R, C], rows of sum 1; undefined if the detector's classes are not in the batch
  static const at::Tensor& of(const Images& images) { return images.region_classes; }
  /// @param said    logits, float [M, C]
  /// @param target  probabilities, float [M, C]
  /// @return scalar >= 0, mean over M
  static at::Tensor loss(const at::Tensor& said, const at::Tensor& target) {
    // x log x is 0 at 0.
    const auto entropy = at::xlogy(target, target);
    return (entropy - target * said.log_softmax(1)).sum(1).mean();
  }
};

/// Masked regions of detector features are zeros; the loss predicts their target from the fused tokens. The visual
/// policy's first R tokens are the regions, as in visual::Roi and visual::Both<Roi, ...>. Source: UNITER (Chen et al.
/// 2020).
/// @tparam Target  RegionFeatures, RegionClasses or a custom one: the target in an Images, [B, R, C], and the loss of
///                 [M, C]
template <class Target>
class Mrm : public torch::nn::Module {
 public:
  /// @param width    D of the fused tokens
  /// @param numbers  C, size of a region's target: F features, or classes
  /// @throws rc3::Error for a fraction outside (0, 1]
  Mrm(std::int64_t width, std::int64_t numbers, MrmOptions options = {})
      : options_(options), head_(register_module("head", torch::nn::Linear(width, numbers))) {
    require(options.fraction > 0 && options.fraction <= 1, "objective::Mrm: fraction must be in (0, 1], is ",
            options.fraction);
  }

  /// @return scalar >= 0; zero for a batch without masked regions
  /// @throws rc3::Error for a batch without detector features or without the target, and for a visual policy with fewer
  ///         tokens than regions
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    Images images = forward.batch().images;
    check_shape("objective::Mrm", "regions", images.regions, {{'B'}, {'R'}, {'F'}});
    const auto regions = images.regions;
    const auto r = regions.size(1);
    const auto asked = Target::of(images);
    check_shape("objective::Mrm", Target::name, asked,
                {{'B', regions.size(0)}, {'R', r}, {'C', head_->options.out_features()}});
    auto places = draw(images);
    if (places.numel() == 0) return forward.visual().values.sum() * 0;
    auto kept = at::ones({regions.size(0) * r, 1}, regions.options());
    kept.index_fill_(0, places, 0);
    images.regions = regions * kept.view({regions.size(0), r, 1});
    const auto fused = detail::fuse_tokens(forward.model(), forward.model().visual(images), forward.text_a());
    require(fused.visual.values.size(1) >= r, "objective::Mrm: the visual policy gives ", fused.visual.values.size(1),
            " tokens for ", r, " regions; its first tokens must be the regions, as in visual::Roi and visual::Both");
    // A policy may drop regions: Both drops all of a sample's at random in training.
    places = places.masked_select(fused.visual.mask.narrow(1, 0, r).flatten().index_select(0, places));
    if (places.numel() == 0) return fused.z.sum() * 0;
    const auto states = detail::at_places(fused.visual.values.narrow(1, 0, r), places);
    const auto target = detail::at_places(asked, places).detach();
    const auto said = head_->forward(states);
    return Target::loss(nn::to_float32(said), nn::to_float32(target));
  }

  /// Sets the step, >= 0: the masked regions are a function of it and of MrmOptions::seed. The trainer calls it.
  void at_step(std::int64_t step) { step_ = step; }

 private:
  at::Tensor draw(const Images& images) const {
    const auto n = images.regions.size(0) * images.regions.size(1);
    const auto mask = images.region_mask.defined() ? images.region_mask.cpu().contiguous() : at::ones({n}, at::kBool);
    const auto* there = mask.data_ptr<bool>();
    Random random(options_.seed, static_cast<std::uint64_t>(step_));
    std::vector<std::int64_t> all, places;
    for (std::int64_t i = 0; i < n; ++i)
      if (there[i]) all.push_back(i);
    for (const auto i : all)
      if (random.chance(options_.fraction)) places.push_back(i);
    if (places.empty() && !all.empty()) places.push_back(all[random.below(all.size())]);
    return at::tensor(places, at::kLong).to(images.regions.device());
  }

  MrmOptions options_;
  torch::nn::Linear head_;
  std::int64_t step_ = 0;
};

}  // namespace rc3::objective
