#pragma once
/// Masked language modelling with images.

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randn.h>
#include <torch/nn/module.h>

#include <memory>
#include <utility>

#include "rc3/core/nn/to_float32.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/detail/fuse_tokens.hpp"
#include "rc3/objective/detail/masking.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/text/mlm_head.hpp"

namespace rc3::objective {

/// Cross-entropy of the masked words of text a, given the image and the unmasked words. Only masked positions are
/// computed: full logits over a large vocabulary would waste most of the memory. Source: Devlin et al. 2019; with
/// images UNITER (Chen et al. 2020).
class Mlm : public torch::nn::Module {
 public:
  /// @param width      D of the fused tokens
  /// @param embedding  float [K, D], word embedding of an encoder, which trains it; undefined: a separate one
  /// @throws rc3::Error for an option of masking out of range
  explicit Mlm(std::int64_t width, MaskOptions options = {}, at::Tensor embedding = {}) : options_(options) {
    detail::check("objective::Mlm", options);
    head_ = register_module("head", std::make_shared<text::MlmHead>(width, options.vocabulary, 1e-6));
    if (embedding.defined())
      shared_ = std::move(embedding);
    else
      own_ = register_parameter("embedding", at::randn({options.vocabulary, width}) * 0.02);
  }

  /// @return scalar >= 0; zero for a batch without maskable words
  /// @throws rc3::Error for a batch whose text a has no ids
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    const auto masked = detail::mask_texts("objective::Mlm", forward.batch().a, options_, step_);
    const auto fused = detail::fuse_tokens(forward.model(), forward.visual(), forward.model().text(masked.texts));
    if (masked.targets.numel() == 0) return fused.z.sum() * 0;
    const auto logits = head_->forward(detail::at_places(fused.text.values, masked.places), embedding());
    return at::cross_entropy_loss(nn::to_float32(logits), masked.targets);
  }

  /// Sets the step, which determines the mask.
  void at_step(std::int64_t step) { step_ = step; }

 private:
  const at::Tensor& embedding() const { return shared_.defined() ? shared_ : own_; }

  MaskOptions options_;
  std::shared_ptr<text::MlmHead> head_;
  at::Tensor shared_, own_;
  std::int64_t step_ = 0;
};

}  // namespace rc3::objective
