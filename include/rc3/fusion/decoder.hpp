#pragma once
/// Text decoder with cross-attention to the fused image and text.

#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/container/modulelist.h>

#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/nn/decoder_layer.hpp"
#include "rc3/core/nn/dropout.hpp"

namespace rc3::fusion {

/// Sizes of a Decoder.
struct DecoderOptions {
  std::int64_t vocabulary = 250002;  ///< K, > 0
  std::int64_t width = 384;          ///< D, also of the memory, > 0
  std::int64_t layers = 2;           ///< >= 1
  std::int64_t heads = 6;            ///< H, divides D
  std::int64_t feed_forward = 768;   ///< inner width of a layer, > 0
  std::int64_t positions = 128;      ///< longest text, tokens, > 0
  double dropout = 0.1;              ///< in training, probability in [0, 1)
};

/// Causal transformer decoder with cross-attention to a memory. Input and output share one word embedding E (Press and
/// Wolf 2017): logits = LayerNorm(h) E^T + b.
class Decoder : public torch::nn::Module {
 public:
  /// Cached state of step-by-step decoding, for one batch of texts and their memory.
  struct Cache {
    std::vector<nn::LayerCache> layers;  ///< keys and values so far, one entry a layer
    std::int64_t length = 0;             ///< tokens so far

    /// Rows @p index (int64 [n]), for reordered beams.
    Cache select(const at::Tensor& index) const {
      Cache chosen{{}, length};
      const auto rows = [&](const at::Tensor& t) { return t.defined() ? t.index_select(0, index) : t; };
      for (const auto& l : layers)
        chosen.layers.push_back({rows(l.key), rows(l.value), rows(l.memory_key), rows(l.memory_value)});
      return chosen;
    }
  };

  /// @param embedding  float [K, D], word embedding of an encoder, shared and trained by its owner; undefined: the
  /// decoder has its own
  /// @throws rc3::Error if vocabulary, positions or layers are not above 0, `heads` does not divide `width`, or the
  ///         embedding has another shape
  explicit Decoder(DecoderOptions options = {}, at::Tensor embedding = {}) : options_(options) {
    require(options.vocabulary > 0 && options.positions > 0 && options.layers > 0,
            "fusion::Decoder: vocabulary, positions and layers must be above 0");
    if (embedding.defined()) {
      check_shape("fusion::Decoder", "embedding", embedding, {{'K', options.vocabulary}, {'D', options.width}});
      shared_ = embedding;
    } else {
      own_ = register_parameter("embedding", at::randn({options.vocabulary, options.width}) * 0.02);
    }
    bias_ = register_parameter("bias", at::zeros({options.vocabulary}));
    position_ = register_parameter("position", at::randn({options.positions, options.width}) * 0.02);
    layers_ = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < options.layers; ++i)
      layers_->push_back(std::make_shared<nn::DecoderLayer>(
          nn::DecoderLayerOptions{options.width, options.heads, options.feed_forward, options.dropout, 1e-6}));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.width}).eps(1e-6)));
  }

  /// @param ids     int64 [B, T], input of the decoder: the text shifted right, after a start token
  /// @param memory  Tokens [B, M, D], at least one per row
  /// @param cache   cache of the earlier tokens; null: there are none
  /// @return float [B, T, D]; logits() of position t predict token t + 1
  /// @throws rc3::Error for another shape or type, or more than `positions` tokens in all
  at::Tensor forward(const at::Tensor& ids, const Tokens& memory, Cache* cache = nullptr) {
    check_shape("fusion::Decoder", "ids", ids, {{'B'}, {'T'}});
    check_dtype("fusion::Decoder", "ids", ids, at::kLong);
    const auto b = ids.size(0), t = ids.size(1), begin = cache == nullptr ? 0 : cache->length;
    check_shape("fusion::Decoder", "memory", memory.values, {{'B', b}, {'M'}, {'D', options_.width}});
    require(begin + t <= options_.positions, "fusion::Decoder: a text of ", begin + t,
            " tokens, but it has positions for ", options_.positions);
    if (cache != nullptr) cache->layers.resize(static_cast<std::size_t>(options_.layers));
    auto x = at::embedding(embedding(), ids) + position_.narrow(0, begin, t);
    x = nn::dropout(x, options_.dropout, is_training());
    const auto mask = memory.mask.unsqueeze(1).unsqueeze(1);
    for (std::int64_t i = 0; i < options_.layers; ++i) {
      auto* kept = cache == nullptr ? nullptr : &cache->layers[static_cast<std::size_t>(i)];
      x = layers_[static_cast<std::size_t>(i)]->as<nn::DecoderLayer>()->forward(x, memory.values, mask, kept);
    }
    if (cache != nullptr) cache->length += t;
    return norm_->forward(x);
  }

  /// @param states  float [..., D], from forward(); in training only the positions of the loss, since K is large
  /// @return float [..., K]
  at::Tensor logits(const at::Tensor& states) const { return at::linear(states, embedding(), bias_); }

  std::int64_t width() const { return options_.width; }
  const DecoderOptions& options() const { return options_; }

 private:
  const at::Tensor& embedding() const { return shared_.defined() ? shared_ : own_; }

  DecoderOptions options_;
  at::Tensor shared_, own_, bias_, position_;
  torch::nn::ModuleList layers_;
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace rc3::fusion
