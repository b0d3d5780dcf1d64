#pragma once
/// Masked conditional language modelling: a decoder predicts the masked words of a text.

#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <torch/nn/module.h>

#include <memory>
#include <utility>

#include "rc3/core/nn/to_float32.hpp"
#include "rc3/fusion/decoder.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/objective/detail/fuse_tokens.hpp"
#include "rc3/objective/detail/masking.hpp"
#include "rc3/objective/forward_cache.hpp"

namespace rc3::objective {

/// The decoder reads text a, shifted by one word, and attends to the image fused with the masked text a. Cross-entropy
/// of its next-word predictions on the masked positions only.
class Mclm : public torch::nn::Module {
 public:
  /// @param decoder  of the width of the fused tokens
  /// @param start    the decoder's input before the first word
  /// @throws rc3::Error for an option of masking out of range, or a decoder of another vocabulary
  explicit Mclm(std::shared_ptr<fusion::Decoder> decoder, MaskOptions options = {}, std::int64_t start = 2)
      : options_(options), start_(start), decoder_(register_module("decoder", std::move(decoder))) {
    detail::check("objective::Mclm", options);
    require(decoder_->options().vocabulary == options.vocabulary, "objective::Mclm: the decoder knows ",
            decoder_->options().vocabulary, " words, the options say ", options.vocabulary);
  }

  /// @return scalar >= 0; zero for a batch without maskable words
  /// @throws rc3::Error for a batch whose text a has no ids
  template <class Model>
  at::Tensor loss(ForwardCache<Model>& forward) {
    const auto& text = forward.batch().a;
    const auto masked = detail::mask_texts("objective::Mclm", text, options_, step_);
    const auto fused = detail::fuse_tokens(forward.model(), forward.visual(), forward.model().text(masked.texts));
    if (masked.targets.numel() == 0) return fused.z.sum() * 0;
    const auto b = text.ids.size(0), l = text.ids.size(1);
    const auto shifted = at::cat({at::full({b, 1}, start_, text.ids.options()), text.ids.narrow(1, 0, l - 1)}, 1);
    const auto states = decoder_->forward(shifted, fused.memory());
    const auto logits = decoder_->logits(detail::at_places(states, masked.places));
    return at::cross_entropy_loss(nn::to_float32(logits), masked.targets);
  }

  /// Sets the step, >= 0: the masked words are a function of it and of MaskOptions::seed. The trainer calls it.
  void at_step(std::int64_t step) { step_ = step; }
  const std::shared_ptr<fusion::Decoder>& decoder() const { return decoder_; }

 private:
  MaskOptions options_;
  std::int64_t start_;
  std::shared_ptr<fusion::Decoder> decoder_;
  std::int64_t step_ = 0;
};

}  // namespace rc3::objective
