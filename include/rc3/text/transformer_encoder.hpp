#pragma once
/// Small text encoder for training from scratch.

#include <ATen/ops/arange.h>
#include <c10/core/GradMode.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>
#include <memory>
#include <string_view>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/transformer_stack.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/detail/check_texts.hpp"

namespace rc3::text {

/// Sizes of a TransformerEncoder.
struct TransformerEncoderOptions {
  std::int64_t vocabulary = 250002;  ///< K, rows of the word embedding; XLM-R's tokenizer has 250002
  std::int64_t width = 256;          ///< D, > 0
  std::int64_t layers = 4;           ///< >= 1
  std::int64_t heads = 4;            ///< H, divides D
  std::int64_t feed_forward = 1024;  ///< inner width of a layer, > 0
  std::int64_t positions = 128;      ///< longest L; captions are short
  double dropout = 0.1;              ///< in training, probability in [0, 1)
  double norm_eps = 1e-6;            ///< above 0
};

template <class V>
void visit_fields(TransformerEncoderOptions& o, V&& v) {
  v("vocabulary", o.vocabulary, "rows of the word embedding", config::above(0));
  v("width", o.width, "width of a token", config::above(0));
  v("layers", o.layers, "layers", config::at_least(1));
  v("heads", o.heads, "attention heads; divide the width", config::above(0));
  v("feed_forward", o.feed_forward, "inner width of a layer", config::above(0));
  v("positions", o.positions, "longest text, tokens", config::above(0));
  v("dropout", o.dropout, "in training", config::from_to_below(0, 1));
  v("norm_eps", o.norm_eps, "epsilon of the norms", config::above(0));
}

/// LayerNorm(stack(word + position)), a stack of pre-norm transformer layers; pools by the mean over the mask.
///
/// Pre-norm layers train from scratch without warm-up (Xiong et al. 2020). Weights start at N(0, 0.02^2). Those that
/// write into the residual stream start at 0.02 / sqrt(2 layers), so that its variance does not grow with depth
/// (Radford et al. 2019).
class TransformerEncoder : public torch::nn::Module {
 public:
  /// @throws rc3::Error for a size that is not above 0, or if `heads` does not divide `width`
  explicit TransformerEncoder(TransformerEncoderOptions options = {}) : options_(options) {
    require(options.vocabulary > 0 && options.positions > 0 && options.layers > 0 && options.feed_forward > 0,
            "text::TransformerEncoderOptions: vocabulary, positions, layers and feed_forward must be above 0, are ",
            options.vocabulary, ", ", options.positions, ", ", options.layers, ", ", options.feed_forward);
    const auto d = options.width;
    word_ = register_module("word", torch::nn::Embedding(options.vocabulary, d));
    position_ = register_module("position", torch::nn::Embedding(options.positions, d));
    layers_ = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < options.layers; ++i)
      layers_->push_back(std::make_shared<nn::TransformerLayer>(nn::TransformerLayerOptions{
          d, options.heads, options.feed_forward, options.dropout, options.norm_eps, nn::Norm::pre}));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(options.norm_eps)));
    reset_parameters();
  }

  /// @param texts  ids int64 [B, L], mask bool [B, L]; 1 <= L <= positions
  /// @return Tokens [B, L, D]; rows of padding are zero
  /// @throws rc3::Error for another shape or type, and on the CPU for ids outside the vocabulary or a text without
  ///         tokens
  Tokens encode(const Texts& texts) {
    detail::check_texts("text::TransformerEncoder", texts, options_.vocabulary, options_.positions);
    const auto columns = at::arange(texts.ids.size(1), texts.ids.options());
    auto x = nn::dropout(word_->forward(texts.ids) + position_->forward(columns), options_.dropout, is_training());
    x = nn::forward(x, texts.mask, 0, options_.layers, [this](std::int64_t i) -> nn::TransformerLayer& {
      return *layers_[static_cast<std::size_t>(i)]->as<nn::TransformerLayer>();
    });
    return {norm_->forward(x) * texts.mask.unsqueeze(-1), texts.mask};
  }

  /// Mean over the tokens of the mask; not normalised. @return float [B, D]
  /// @throws rc3::Error for another shape
  at::Tensor pool(const Tokens& tokens) {
    check_shape("text::TransformerEncoder", "tokens", tokens.values, {{'B'}, {'L'}, {'D', width()}});
    const auto weight = tokens.mask.unsqueeze(-1).to(tokens.values.scalar_type());
    return (tokens.values * weight).sum(1) / weight.sum(1).clamp_min(1);
  }

  std::int64_t width() const { return options_.width; }  ///< D, of a token and of a pooled text
  const TransformerEncoderOptions& options() const { return options_; }

 private:
  void reset_parameters() {
    const c10::NoGradGuard no_grad;
    const double residual = 0.02 / std::sqrt(2.0 * static_cast<double>(options_.layers));
    for (auto& item : named_parameters()) {
      const std::string_view name = item.key();
      if (item.value().dim() == 2)
        item.value().normal_(0, name.ends_with("output.weight") ? residual : 0.02);
      else if (name.ends_with(".bias"))
        item.value().zero_();
    }
  }

  TransformerEncoderOptions options_;
  torch::nn::Embedding word_{nullptr}, position_{nullptr};
  torch::nn::ModuleList layers_;
  torch::nn::LayerNorm norm_{nullptr};
};

static_assert(Policy<TransformerEncoder>);

}  // namespace rc3::text
