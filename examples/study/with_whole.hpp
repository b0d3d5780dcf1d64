#pragma once
/// Visual policy of the study: patches, grid regions or both, and one token of the whole image that has an embedding in
/// the shared space.

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <rc3/core/batch.hpp>
#include <rc3/core/nn/linear.hpp>
#include <rc3/visual/both.hpp>
#include <rc3/visual/concept.hpp>
#include <rc3/visual/roi_from_backbone.hpp>
#include <rc3/visual/summary.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "choices.hpp"

namespace study {

/// Corners of @p count x @p count squares of side @p side, evenly spread over an image of 1 x 1.
/// @param count  2 or more  @param side  in (0, 1]
inline void add_squares(std::vector<float>& corners, int count, float side) {
  const auto low = [&](int i) { return static_cast<float>(i) * (1 - side) / static_cast<float>(count - 1); };
  for (int y = 0; y < count; ++y)
    for (int x = 0; x < count; ++x) corners.insert(corners.end(), {low(x), low(y), low(x) + side, low(y) + side});
}

/// Which tokens an image has beside that of the whole.
struct WithWholeOptions {
  Seen seen = Seen::patches;
  std::int64_t summary = 0;  ///< the summary is of the map averaged to this many cells on a side; 0: of the map
};

/// [whole; patches], [whole; regions] or [whole; regions; patches]. The first token is LayerNorm(W summary) of the
/// whole image; its summary gives it an embedding, so that fusion::LateInteractionFusion compares each text token with
/// the image. Regions are RoIAlign of squares on the patches' map: 3 x 3 of half the image's side, which overlap, and
/// without patches also the 4 x 4 cells. Both kinds have 25 tokens, as have 5 x 5 patches.
/// @tparam Patch  a visual policy with `backbone`, `summary_width` and `encode_map`
template <class Patch>
class WithWhole : public torch::nn::Module {
  using Backbone = std::remove_cvref_t<decltype(*std::declval<const Patch&>().backbone())>;
  using Regions = rc3::visual::RoiFromBackbone<Backbone>;

 public:
  explicit WithWhole(std::shared_ptr<Patch> patch, WithWholeOptions options = {})
      : options_(options), patch_(register_module("patch", std::move(patch))) {
    whole_ = register_module("whole", torch::nn::Linear(patch_->summary_width(), patch_->width()));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({patch_->width()})));
    if (options.seen == Seen::patches) return;
    const auto regions = std::make_shared<Regions>(
        patch_->backbone(), rc3::visual::RoiFromBackboneOptions{.width = patch_->width(), .dropout = 0.0});
    if (options.seen == Seen::regions)
      regions_ = register_module("regions", regions);
    else  // nothing is left out in training, as in the arms that it is compared with
      both_ = register_module(
          "both", std::make_shared<rc3::visual::Both<Regions, Patch>>(regions, patch_, rc3::visual::BothOptions{0, 0}));
    std::vector<float> corners;
    add_squares(corners, 3, 0.5f);
    if (options.seen == Seen::regions) add_squares(corners, 4, 0.25f);
    boxes_ = at::tensor(corners).view({1, -1, 4});
  }

  /// Whether encode() computes tokens. Without them only the summary is computed, which the heads need.
  void set_tokens(bool tokens) { with_tokens_ = tokens; }

  /// @return Tokens [B, 1 + V, D] with summary and summaries [B, 1, S]; without tokens [B, 1, D], zero
  rc3::Tokens encode(const rc3::Images& images) {
    const auto map = patch_->backbone()->features(images);
    const auto n = options_.summary;
    const auto summary = rc3::visual::summary_of(n > 0 ? at::adaptive_avg_pool2d(map, {n, n}) : map);
    if (!with_tokens_) {
      const auto b = summary.size(0);
      return {at::zeros({b, 1, width()}, summary.options()), at::ones({b, 1}, summary.options().dtype(at::kBool)),
              summary};
    }
    const auto t = tokens(map, images);
    const auto whole = norm_->forward(rc3::nn::linear(whole_, summary)).unsqueeze(1);
    const auto always = at::ones({whole.size(0), 1}, t.mask.options());
    return {at::cat({whole, t.values}, 1), at::cat({always, t.mask}, 1), summary, summary.unsqueeze(1)};
  }

  std::int64_t width() const { return patch_->width(); }
  std::int64_t summary_width() const { return patch_->summary_width(); }
  const auto& backbone() const { return patch_->backbone(); }

 private:
  rc3::Tokens tokens(const at::Tensor& map, const rc3::Images& images) {
    if (options_.seen == Seen::patches) return patch_->encode_map(map, images);
    const auto b = map.size(0);
    rc3::Images squares;  // those of the data, if any, are an annotator's or a detector's
    squares.pixels = images.pixels;
    squares.features = images.features;
    squares.boxes = boxes_.to(map.device()).expand({b, -1, -1});
    squares.sizes = at::ones({b, 2}, squares.boxes.options());
    return both_ ? both_->encode(squares) : regions_->encode_map(map, squares);
  }

  WithWholeOptions options_;
  bool with_tokens_ = true;
  std::shared_ptr<Patch> patch_;
  torch::nn::Linear whole_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  std::shared_ptr<Regions> regions_;
  std::shared_ptr<rc3::visual::Both<Regions, Patch>> both_;
  at::Tensor boxes_;
};

}  // namespace study
