#pragma once
/// Fusion of the study: a fusion encoder that is narrower than the tokens, so that a run takes minutes on a processor.

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <rc3/core/batch.hpp>
#include <rc3/core/nn/linear.hpp>
#include <rc3/fusion/concept.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace study {

/// z = W_up g(W_v v, W_x x): tokens are projected to the width of @p Inner, and its z back to theirs.
/// @tparam Inner  a fusion::Policy
template <class Inner>
class Narrow : public torch::nn::Module {
 public:
  /// @param width  D of the tokens
  Narrow(std::shared_ptr<Inner> inner, std::int64_t width)
      : width_(width), inner_(register_module("inner", std::move(inner))) {
    visual_ = register_module("visual", torch::nn::Linear(width, inner_->width()));
    text_ = register_module("text", torch::nn::Linear(width, inner_->width()));
    up_ = register_module("up", torch::nn::Linear(inner_->width(), width));
  }

  /// @param visual  Tokens [B, V, D]  @param text  Tokens [B, L, D]  @return z, float [B, D]
  at::Tensor fuse(const rc3::Tokens& visual, const rc3::Tokens& text) {
    const auto [v, x] = narrowed(visual, text);
    return rc3::nn::linear(up_, inner_->fuse(v, x));
  }

  /// The same z, with the state of every token, which objective::Mlm reads.
  rc3::Fused fuse_tokens(const rc3::Tokens& visual, const rc3::Tokens& text) {
    const auto [v, x] = narrowed(visual, text);
    auto fused = inner_->fuse_tokens(v, x);
    fused.z = rc3::nn::linear(up_, fused.z);
    for (auto* tokens : {&fused.visual, &fused.text})
      tokens->values = rc3::nn::linear(up_, tokens->values) * tokens->mask.unsqueeze(2);
    return fused;
  }

  std::int64_t width() const { return width_; }

 private:
  std::pair<rc3::Tokens, rc3::Tokens> narrowed(const rc3::Tokens& visual, const rc3::Tokens& text) {
    rc3::Tokens v, x;
    v.values = rc3::nn::linear(visual_, visual.values);
    v.mask = visual.mask;
    x.values = rc3::nn::linear(text_, text.values);
    x.mask = text.mask;
    return {std::move(v), std::move(x)};
  }

  std::int64_t width_;
  std::shared_ptr<Inner> inner_;
  torch::nn::Linear visual_{nullptr}, text_{nullptr}, up_{nullptr};
};

}  // namespace study
