#pragma once
/// Common parts of ClipText and SiglipText: token and position embeddings, and a stack of pre-norm layers.

#include <ATen/ops/arange.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "rc3/core/batch.hpp"
#include "rc3/core/nn/linear.hpp"
#include "rc3/core/nn/transformer_layer.hpp"
#include "rc3/io/hf.hpp"
#include "rc3/io/weights.hpp"
#include "rc3/text/detail/check_texts.hpp"

namespace rc3::text {

/// Sizes shared by the text towers of CLIP and SigLIP; each family's options set its defaults.
struct TextTransformerOptions {
  std::int64_t vocabulary = 49408;   ///< K, rows of the word embedding
  std::int64_t width = 512;          ///< D
  std::int64_t layers = 12;          ///< >= 1
  std::int64_t heads = 8;            ///< H, divides D
  std::int64_t feed_forward = 2048;  ///< inner width of a layer
  std::int64_t positions = 77;       ///< longest L
  std::int64_t projection = 512;     ///< E, width of the space shared with images; 0: no projection
  double norm_eps = 1e-5;            ///< above 0
  double dropout = 0;                ///< in training, probability in [0, 1)
  nn::Activation activation = nn::Activation::quick_gelu;
};

template <class V>
void visit_fields(TextTransformerOptions& o, V&& v) {
  v("vocabulary", o.vocabulary, "rows of the word embedding");
  v("width", o.width, "width of a token");
  v("layers", o.layers, "number of layers");
  v("heads", o.heads, "attention heads; divides width");
  v("feed_forward", o.feed_forward, "inner width of a layer");
  v("positions", o.positions, "longest text, tokens");
  v("projection", o.projection, "width of the space shared with images; 0: no projection");
  v("norm_eps", o.norm_eps, "added to the variance");
  v("dropout", o.dropout, "in training, probability");
  v("activation", o.activation, "activation of the feed-forward block");
}

namespace detail {

/// Source: Radford et al. 2021 (CLIP).
class TextTransformer : public torch::nn::Module {
 public:
  std::int64_t width() const { return sizes_.width; }

  /// Pooled texts in the space shared with images, not normalised; unchanged without a projection.
  /// @param pooled  float [B, D]  @return float [B, projection_width()]
  at::Tensor project(const at::Tensor& pooled) { return projection_ ? nn::linear(projection_, pooled) : pooled; }

  std::int64_t projection_width() const { return sizes_.projection > 0 ? sizes_.projection : sizes_.width; }

  /// The state from which `encode` says that a text is pooled: Tokens::summary.
  /// @return float [B, D], not normalised
  at::Tensor pool(const Tokens& tokens) {
    check_shape(name_, "summary", tokens.summary, {{'B'}, {'D', sizes_.width}});
    return tokens.summary;
  }

 protected:
  /// @param name  name of the policy, for errors
  /// @param bias  whether the projection has a bias
  TextTransformer(const TextTransformerOptions& options, const char* name, bool bias) : sizes_(options), name_(name) {
    require(options.vocabulary > 0 && options.positions > 0 && options.layers > 0 && options.feed_forward > 0, name,
            ": vocabulary, positions, layers and feed_forward must be above 0, are ", options.vocabulary, ", ",
            options.positions, ", ", options.layers, ", ", options.feed_forward);
    const auto d = options.width;
    word_ = register_module("word", torch::nn::Embedding(options.vocabulary, d));
    position_ = register_module("position", torch::nn::Embedding(options.positions, d));
    layers_ = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < options.layers; ++i)
      layers_->push_back(std::make_shared<nn::TransformerLayer>(
          nn::TransformerLayerOptions{d, options.heads, options.feed_forward, options.dropout, options.norm_eps,
                                      nn::Norm::pre, options.activation}));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d}).eps(options.norm_eps)));
    if (options.projection > 0)
      projection_ =
          register_module("projection", torch::nn::Linear(torch::nn::LinearOptions(d, options.projection).bias(bias)));
  }

  /// @param ids   int64 [B, L]
  /// @param mask  bool [B or 1, 1, L or 1, L], true where a column may be attended to; undefined: everywhere
  /// @return states behind the last norm, float [B, L, D]
  at::Tensor states(const at::Tensor& ids, const at::Tensor& mask) {
    auto x = word_->forward(ids) + position_->weight.narrow(0, 0, ids.size(1));
    for (const auto& layer : *layers_) x = layer->as<nn::TransformerLayer>()->forward(x, mask);
    return norm_->forward(x);
  }

  TextTransformerOptions sizes_;
  const char* name_;
  torch::nn::Embedding word_{nullptr}, position_{nullptr};
  torch::nn::ModuleList layers_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear projection_{nullptr};
};

inline constexpr std::pair<std::string_view, nn::Activation> text_activations[] = {
    {"gelu", nn::Activation::gelu},
    {"gelu_pytorch_tanh", nn::Activation::gelu_tanh},
    {"quick_gelu", nn::Activation::quick_gelu}};

/// Sizes shared by the families, without defaults: a missing key is an error, as for the vision towers.
inline void read_text_sizes(const io::Config& config, TextTransformerOptions& o) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                          "max_position_embeddings", "hidden_act", "layer_norm_eps"})
    require(
        config.has(key), config.where(), ": the key \"", key,
        "\" is missing; if an older transformers left it out, load the model with transformers 5 and save it again");
  o.vocabulary = config.size("vocab_size");
  o.width = config.size("hidden_size", 1, 1'000'000);
  o.layers = config.size("num_hidden_layers", 1, 1000);
  o.heads = config.size("num_attention_heads", 1, 100'000);
  o.feed_forward = config.size("intermediate_size", 1, 1'000'000);
  o.positions = config.size("max_position_embeddings", 1, 1'000'000);
  o.norm_eps = config.positive("layer_norm_eps");
  o.dropout = config.dropout("attention_dropout", 0);
  const auto activation = config.one_of("hidden_act", {"gelu", "gelu_pytorch_tanh", "quick_gelu"});
  o.activation = std::ranges::find(text_activations, activation, [](const auto& a) { return a.first; })->second;
}

/// Keys of read_text_sizes.
inline nlohmann::json write_text_sizes(const TextTransformerOptions& o) {
  return {
      {"vocab_size", o.vocabulary},
      {"hidden_size", o.width},
      {"num_hidden_layers", o.layers},
      {"num_attention_heads", o.heads},
      {"intermediate_size", o.feed_forward},
      {"max_position_embeddings", o.positions},
      {"layer_norm_eps", o.norm_eps},
      {"attention_dropout", o.dropout},
      {"hidden_act", std::ranges::find(text_activations, o.activation, [](const auto& a) { return a.second; })->first},
      {"dtype", "float32"}};
}

/// Tensor names of both families. transformers writes a text model alone without prefix, and inside a whole model with
/// "text_model.".
/// @param prefix  "" for reading, "text_model." for writing
/// @param head    name of the projection: "text_projection." (CLIP), or "head." inside the text model (SigLIP)
inline io::Layout text_layout(const std::string& prefix, const std::string& head) {
  return {.rules = {{"word.", prefix + "embeddings.token_embedding."},
                    {"position.", prefix + "embeddings.position_embedding."},
                    {"layers.#.attention_norm.", prefix + "encoder.layers.#.layer_norm1."},
                    {"layers.#.query.", prefix + "encoder.layers.#.self_attn.q_proj."},
                    {"layers.#.key.", prefix + "encoder.layers.#.self_attn.k_proj."},
                    {"layers.#.value.", prefix + "encoder.layers.#.self_attn.v_proj."},
                    {"layers.#.attention_output.", prefix + "encoder.layers.#.self_attn.out_proj."},
                    {"layers.#.output_norm.", prefix + "encoder.layers.#.layer_norm2."},
                    {"layers.#.inner.", prefix + "encoder.layers.#.mlp.fc1."},
                    {"layers.#.output.", prefix + "encoder.layers.#.mlp.fc2."},
                    {"norm.", prefix + "final_layer_norm."},
                    {"projection.", head}},
          .prefixes = {"text_model."},
          // The image encoder of a whole model, and the comparison of both.
          .ignore = {"vision_model\\..*", "visual_projection\\..*", "logit_scale", "logit_bias",
                     "embeddings\\.position_ids"}};
}

}  // namespace detail
}  // namespace rc3::text
