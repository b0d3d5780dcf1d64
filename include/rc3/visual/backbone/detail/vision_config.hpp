#pragma once
/// config.json of ViT, CLIP and SigLIP directories, and the tensor names shared by CLIP and SigLIP.

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/io/hf.hpp"
#include "rc3/io/weights.hpp"
#include "rc3/visual/backbone/detail/vision_transformer.hpp"

namespace rc3::visual::backbone::detail {

inline constexpr std::pair<std::string_view, nn::Activation> activations[] = {
    {"gelu", nn::Activation::gelu},
    {"gelu_pytorch_tanh", nn::Activation::gelu_tanh},
    {"quick_gelu", nn::Activation::quick_gelu}};

/// Sizes shared by the families.
///
/// transformers 5.24 writes every key, also in the vision_config of a whole model. Older versions omitted keys equal to
/// the class's default: the vision_config of google/siglip-base-patch16-224 contains only "model_type". Such a file is
/// refused, because defaults have changed between versions.
inline void read_sizes(const io::Config& config, VisionTransformerOptions& o) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size",
                          "patch_size", "num_channels", "hidden_act", "layer_norm_eps"})
    require(
        config.has(key), config.where(), ": the key \"", key,
        "\" is missing; if an older transformers left it out, load the model with transformers 5 and save it again");
  o.width = config.size("hidden_size", 1, 1'000'000);
  o.layers = config.size("num_hidden_layers", 1, 1000);
  o.heads = config.size("num_attention_heads", 1, 100'000);
  o.feed_forward = config.size("intermediate_size", 1, 1'000'000);
  o.image_size = config.size("image_size", 1, 10'000);
  o.patch_size = config.size("patch_size", 1, 10'000);
  o.norm_eps = config.positive("layer_norm_eps");
  config.only<std::int64_t>("num_channels", 3);
  const auto activation = config.one_of("hidden_act", {"gelu", "gelu_pytorch_tanh", "quick_gelu"});
  o.activation = std::ranges::find(activations, activation, [](const auto& a) { return a.first; })->second;
}

/// Keys of read_sizes.
inline nlohmann::json write_sizes(const VisionTransformerOptions& o) {
  return {{"hidden_size", o.width},
          {"num_hidden_layers", o.layers},
          {"num_attention_heads", o.heads},
          {"intermediate_size", o.feed_forward},
          {"image_size", o.image_size},
          {"patch_size", o.patch_size},
          {"num_channels", 3},
          {"hidden_act", std::ranges::find(activations, o.activation, [](const auto& a) { return a.second; })->first},
          {"layer_norm_eps", o.norm_eps},
          {"dtype", "float32"}};
}

/// Whether the directory has a weight @p name, after one of the @p prefixes or none.
inline bool has_weight(const std::filesystem::path& directory, std::string_view name,
                       const std::vector<std::string>& prefixes) {
  const io::Weights weights(directory);
  const auto called = [&](const std::string& prefix) { return weights.readers().contains(prefix + std::string(name)); };
  return called("") || std::ranges::any_of(prefixes, called);
}

/// Tensor names shared by CLIP and SigLIP. transformers 5.24 writes a vision model alone without a prefix, and inside a
/// whole model with "vision_model."; transformers 4 always wrote the prefix. All of them read it.
/// @param prefix  "" for reading, "vision_model." for writing
inline io::Layout clip_layout(const std::string& prefix) {
  io::Layout layout{.rules = {{"class_token", "embeddings.class_embedding"},
                              {"position", "embeddings.position_embedding.weight"},
                              {"patch.", "embeddings.patch_embedding."},
                              {"pre_norm.", "pre_layrnorm."},
                              {"layers.#.attention_norm.", "encoder.layers.#.layer_norm1."},
                              {"layers.#.query.", "encoder.layers.#.self_attn.q_proj."},
                              {"layers.#.key.", "encoder.layers.#.self_attn.k_proj."},
                              {"layers.#.value.", "encoder.layers.#.self_attn.v_proj."},
                              {"layers.#.attention_output.", "encoder.layers.#.self_attn.out_proj."},
                              {"layers.#.output_norm.", "encoder.layers.#.layer_norm2."},
                              {"layers.#.inner.", "encoder.layers.#.mlp.fc1."},
                              {"layers.#.output.", "encoder.layers.#.mlp.fc2."},
                              {"norm.", "post_layernorm."},
                              {"head.probe", "head.probe"},
                              {"head.in_projection_", "head.attention.in_proj_"},
                              {"head.out_projection.", "head.attention.out_proj."},
                              {"head.norm.", "head.layernorm."},
                              {"head.inner.", "head.mlp.fc1."},
                              {"head.output.", "head.mlp.fc2."}},
                    .prefixes = {"vision_model."},
                    // The text encoder of a whole model, the comparison of both, and heads of classifiers.
                    .ignore = {"text_model\\..*", "text_projection\\..*", "logit_scale", "logit_bias",
                               "classifier\\..*", "embeddings\\.position_ids"}};
  for (auto& rule : layout.rules) rule.file = prefix + rule.file;
  layout.rules.push_back({"projection.", "visual_projection."});  // beside the vision model, not inside
  return layout;
}

}  // namespace rc3::visual::backbone::detail
