#pragma once
/// Visual policy of the study: patches, and one token of the whole image that has an embedding in the shared space.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <rc3/core/batch.hpp>
#include <rc3/core/nn/linear.hpp>
#include <rc3/visual/concept.hpp>
#include <rc3/visual/summary.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace study {

/// [whole; patches]. The first token is LayerNorm(W summary) of the whole image; its summary gives it an embedding, so
/// that fusion::LateInteractionFusion compares each text token with the image.
/// @tparam Patch  a visual policy with `backbone`, `summary_width` and a summary in its tokens
template <class Patch>
class WithWhole : public torch::nn::Module {
 public:
  explicit WithWhole(std::shared_ptr<Patch> patch) : patch_(register_module("patch", std::move(patch))) {
    whole_ = register_module("whole", torch::nn::Linear(patch_->summary_width(), patch_->width()));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({patch_->width()})));
  }

  /// Whether encode() computes tokens. Without them only the summary is computed, which the heads need.
  void set_tokens(bool tokens) { tokens_ = tokens; }

  /// @return Tokens [B, 1 + P, D] with summary and summaries [B, 1, S]; without tokens [B, 1, D], zero
  rc3::Tokens encode(const rc3::Images& images) {
    if (!tokens_) {
      const auto summary = rc3::visual::summary_of(patch_->backbone()->features(images));
      const auto b = summary.size(0);
      return {at::zeros({b, 1, width()}, summary.options()), at::ones({b, 1}, summary.options().dtype(at::kBool)),
              summary};
    }
    auto t = patch_->encode(images);
    const auto whole = norm_->forward(rc3::nn::linear(whole_, t.summary)).unsqueeze(1);
    const auto always = at::ones({whole.size(0), 1}, t.mask.options());
    return {at::cat({whole, t.values}, 1), at::cat({always, t.mask}, 1), t.summary, t.summary.unsqueeze(1)};
  }

  std::int64_t width() const { return patch_->width(); }
  std::int64_t summary_width() const { return patch_->summary_width(); }
  const auto& backbone() const { return patch_->backbone(); }

 private:
  bool tokens_ = true;
  std::shared_ptr<Patch> patch_;
  torch::nn::Linear whole_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace study
