#pragma once
/// Single-stream transformer over image and text.

#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <torch/nn/modules/container/modulelist.h>

#include <utility>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/nn/transformer_stack.hpp"
#include "rc3/fusion/concept.hpp"

namespace rc3::fusion {

/// Sizes of a SingleStream encoder.
struct SingleStreamOptions {
  std::int64_t width = 384;         ///< D of visual and text tokens, > 0
  std::int64_t layers = 2;          ///< >= 1
  std::int64_t heads = 6;           ///< H, divides D
  std::int64_t feed_forward = 768;  ///< inner width of a layer, > 0
  double dropout = 0.1;             ///< in training, probability in [0, 1)
};

template <class V>
void visit_fields(SingleStreamOptions& o, V&& v) {
  v("width", o.width, "width of visual and text tokens", config::above(0));
  v("layers", o.layers, "layers", config::at_least(1));
  v("heads", o.heads, "attention heads; divide the width", config::above(0));
  v("feed_forward", o.feed_forward, "inner width of a layer", config::above(0));
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
}

/// Pre-norm transformer over [first; visual; text]. "first" is a learned token whose last state is z; visual and text
/// tokens carry a learned modality embedding. Source: UNITER, VL-BERT (single stream).
class SingleStream : public torch::nn::Module {
 public:
  /// Random weights. @throws rc3::Error if `heads` does not divide `width`
  explicit SingleStream(SingleStreamOptions options = {}) : options_(options) {
    first_ = register_parameter("first", at::randn({1, 1, options.width}) * 0.02);
    kind_ = register_parameter("kind", at::randn({2, options.width}) * 0.02);
    layers_ = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < options.layers; ++i)
      layers_->push_back(std::make_shared<nn::TransformerLayer>(nn::TransformerLayerOptions{
          options.width, options.heads, options.feed_forward, options.dropout, 1e-6, nn::Norm::pre}));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width}).eps(1e-6)));
  }

  /// @param visual  Tokens [B, V, D]
  /// @param text    Tokens [B, L, D]
  /// @return z, float [B, D]
  /// @throws rc3::Error for another width, or batches of different sizes
  at::Tensor fuse(const Tokens& visual, const Tokens& text) {
    const auto [x, mask] = join(visual, text);
    const auto at = [this](std::int64_t i) -> nn::TransformerLayer& { return layer(i); };
    return norm_->forward(nn::forward_first(x, mask, options_.layers, at));
  }

  /// The same z, with the state of every token; rows of padding are zero.
  Fused fuse_tokens(const Tokens& visual, const Tokens& text) {
    const auto [joined, mask] = join(visual, text);
    const auto at = [this](std::int64_t i) -> nn::TransformerLayer& { return layer(i); };
    const auto x = norm_->forward(nn::forward(joined, mask, 0, options_.layers, at));
    const auto v = visual.values.size(1);
    return {x.select(1, 0),
            {x.narrow(1, 1, v) * visual.mask.unsqueeze(2), visual.mask},
            {x.narrow(1, 1 + v, text.values.size(1)) * text.mask.unsqueeze(2), text.mask}};
  }

  std::int64_t width() const { return options_.width; }
  const SingleStreamOptions& options() const { return options_; }

 private:
  /// Input of the layers, [first; visual; text], and its mask.
  std::pair<at::Tensor, at::Tensor> join(const Tokens& visual, const Tokens& text) const {
    const auto b = visual.values.size(0), d = options_.width;
    check_shape("fusion::SingleStream", "visual", visual.values, {{'B'}, {'V'}, {'D', d}});
    check_shape("fusion::SingleStream", "text", text.values, {{'B', b}, {'L'}, {'D', d}});
    const auto x = at::cat({first_.expand({b, 1, d}), visual.values + kind_[0], text.values + kind_[1]}, 1);
    const auto always = at::ones({b, 1}, visual.mask.options());
    return {x, at::cat({always, visual.mask, text.mask}, 1)};
  }
  nn::TransformerLayer& layer(std::int64_t i) {
    return *layers_[static_cast<std::size_t>(i)]->as<nn::TransformerLayer>();
  }

  SingleStreamOptions options_;
  at::Tensor first_, kind_;
  torch::nn::ModuleList layers_;
  torch::nn::LayerNorm norm_{nullptr};
};

static_assert(Policy<SingleStream> && FusesTokens<SingleStream>);

}  // namespace rc3::fusion
