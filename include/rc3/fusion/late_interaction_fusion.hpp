#pragma once
/// Late-interaction features for the tokens of a fusion encoder.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <cmath>
#include <memory>
#include <tuple>
#include <utility>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/linear.hpp"
#include "rc3/core/nn/to_float32.hpp"
#include "rc3/fusion/concept.hpp"

namespace rc3::fusion {

/// Temperature of a LateInteractionFusion.
struct LateInteractionFusionOptions {
  double tau = 0.07;  ///< initial temperature of the attention, > 0
};

template <class V>
void visit_fields(LateInteractionFusionOptions& o, V&& v) {
  v("tau", o.tau, "initial temperature of the attention", config::above(0));
}

/// With the cosines s_rl of the embeddings of visual token r and text token l, each text token l becomes
///   x_l + W_x [ sum_r softmax_r(s_rl / tau) v_r ; max_r s_rl / tau ],
/// and each visual token with an embedding likewise over the text. An encoder trained on few words and objects can thus
/// use the alignment learned from all languages and images. The embeddings get no gradient. Source: late interaction as
/// in ColBERT (Khattab and Zaharia 2020) and FILIP (Yao et al. 2021); the attention is this library's.
/// @tparam Inner  a fusion::Policy
template <class Inner>
class LateInteractionFusion : public torch::nn::Module {
  static constexpr bool inner_ok = Policy<Inner>;
  static_assert(inner_ok,
                "fusion::LateInteractionFusion<Inner>: Inner must be a fusion policy: fuse(const Tokens&, const "
                "Tokens&) returning "
                "torch::Tensor, and width() [docs/concepts/fusion.md]");

 public:
  /// Makes rc3::Model fill Tokens::embeddings.
  static constexpr bool uses_token_embeddings = true;

  /// @throws rc3::Error for tau that is not above 0
  explicit LateInteractionFusion(std::shared_ptr<Inner> inner, LateInteractionFusionOptions options = {})
      : options_(options), inner_(register_module("inner", std::move(inner))) {
    require(options.tau > 0, "fusion::LateInteractionFusion: tau must be above 0, is ", options.tau);
    const auto d = inner_->width();
    log_scale_ = register_parameter("log_scale", at::full({2}, -std::log(options.tau)));
    text_ = register_module("text", torch::nn::Linear(d + 1, d));
    visual_ = register_module("visual", torch::nn::Linear(d + 1, d));
  }

  /// @param visual  Tokens [B, V, D] with embeddings [B, V, E]
  /// @param text    Tokens [B, L, D] with embeddings [B, L, E]
  /// @return z, float [B, D]
  /// @throws rc3::Error if either has no embeddings
  at::Tensor fuse(const Tokens& visual, const Tokens& text) {
    const auto [v, x] = add_interaction(visual, text);
    return inner_->fuse(v, x);
  }

  /// The same z, with the state of every token.
  Fused fuse_tokens(const Tokens& visual, const Tokens& text) requires FusesTokens<Inner> {
    const auto [v, x] = add_interaction(visual, text);
    return inner_->fuse_tokens(v, x);
  }

  std::int64_t width() const { return inner_->width(); }
  const std::shared_ptr<Inner>& inner() const { return inner_; }
  const LateInteractionFusionOptions& options() const { return options_; }
  /// The inner encoder, for rc3::save.
  std::tuple<std::shared_ptr<Inner>> parts() const { return {inner_}; }

  /// Input of the inner encoder.
  /// @return Tokens [B, V, D] and Tokens [B, L, D]  @throws rc3::Error if either has no embeddings
  std::pair<Tokens, Tokens> add_interaction(const Tokens& visual, const Tokens& text) {
    const auto b = visual.values.size(0), e = text.embeddings.defined() ? text.embeddings.size(2) : Dim::any;
    check_shape("fusion::LateInteractionFusion", "visual vectors", visual.embeddings,
                {{'B', b}, {'V', visual.values.size(1)}, {'E', e}});
    check_shape("fusion::LateInteractionFusion", "text vectors", text.embeddings,
                {{'B', b}, {'L', text.values.size(1)}, {'E', e}});
    const auto scale = log_scale_.clamp(0.0, std::log(100.0)).exp();
    const auto cosines = nn::to_float32(visual.embeddings.matmul(text.embeddings.transpose(1, 2)));  // [B, V, L]
    const auto seen = visual.embeddings.ne(0).any(2),
               read = text.embeddings.ne(0).any(2) & text.mask;  // [B, V], [B, L]
    Tokens v = visual, x = text;
    x.values = text.values + met(text_, cosines.transpose(1, 2) * scale[0], read, visual.values, seen);
    v.values = visual.values + met(visual_, cosines * scale[1], seen, text.values, read);
    return {v, x};
  }

 private:
  /// @param logits  [B, Q, K]  @param values  [B, K, D]  @return [B, Q, D], zero for a row without any embedding
  static at::Tensor met(torch::nn::Linear& w, const at::Tensor& logits, const at::Tensor& asks,
                        const at::Tensor& values, const at::Tensor& answers) {
    const auto open = logits.masked_fill(~answers.unsqueeze(1), -1e4);
    const auto mixed = open.softmax(2).to(values.scalar_type()).matmul(values);
    const auto most = open.amax(2, /*keepdim=*/true).clamp_min(-100).to(values.scalar_type());
    return nn::linear(w, at::cat({mixed, most}, 2)) * (asks & answers.any(1, true)).unsqueeze(2);
  }

  LateInteractionFusionOptions options_;
  std::shared_ptr<Inner> inner_;
  at::Tensor log_scale_;
  torch::nn::Linear text_{nullptr}, visual_{nullptr};
};

}  // namespace rc3::fusion
