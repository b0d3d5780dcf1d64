#pragma once
/// ViT: a transformer on square patches of pixels.

#include <ATen/ops/tanh.h>
#include <torch/nn/modules/linear.h>

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "rc3/visual/backbone/detail/vision_config.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

/// Options; the defaults are ViT-Base, patches of 16, images of 224.
struct VitOptions : VisionTransformerOptions {
  VitOptions() { norm_eps = 1e-12; }

  std::int64_t pooler = 0;  ///< width of the dense tanh layer after [CLS]; 0: none

  /// Reads config.json, and preprocessor_config.json if it exists. `pooler` is the key pooler_output_size.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static VitOptions from_config(const std::filesystem::path& directory);
  /// config.json with these sizes.
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(VitOptions& o, V&& v) {
  visit_fields(static_cast<VisionTransformerOptions&>(o), v);
  v("pooler", o.pooler, "width of the dense tanh layer after [CLS]; 0: none", config::at_least(0));
}

/// Patch embedding, class token, pre-norm layers and a norm.
/// Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words".
class Vit : public detail::VisionTransformer {
 public:
  /// Random weights.
  /// @throws rc3::Error if `image_size` is below `patch_size`, or `heads` does not divide `width`
  explicit Vit(VitOptions options = {});

  /// Loads a transformers directory: the model alone, or a classifier without its head.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<Vit> from_pretrained(const std::filesystem::path& directory, io::LoadReport* report = nullptr);

  /// Writes config.json, preprocessor_config.json and model.safetensors, for transformers' ViTModel.
  void save_pretrained(const std::filesystem::path& directory) const;

  /// Embedding of a whole image. @return as pool()
  at::Tensor pooled(const Images& images) { return pool(last_hidden(images)); }

  /// The same, from @p last_hidden [B, 1+P, D]: [CLS], through the pooler if the directory has one.
  /// @return float [B, pooled_width()]
  at::Tensor pool(const at::Tensor& last_hidden) {
    const auto first = last_hidden.select(1, 0);
    return pooler_ ? at::tanh(pooler_->forward(first)) : first;
  }

  /// `pooler`, or D without one.
  std::int64_t pooled_width() const { return vit_.pooler > 0 ? vit_.pooler : channels(); }
  const VitOptions& options() const { return vit_; }

 private:
  VitOptions vit_;
  torch::nn::Linear pooler_{nullptr};
};

namespace detail {

inline constexpr Structure vit_structure{.name = "visual::backbone::Vit",
                                         .class_token = true,
                                         .patch_bias = true,
                                         .pre_norm = false,
                                         .norm_all = true,
                                         .batch_axis = true};

/// Names of tensors in transformers 5, in memory and in files.
inline std::string vit_disk_name(const std::string& name) {
  static const io::Layout memory{.rules = {{"layers.#.attention.q_proj.", "encoder.layer.#.attention.attention.query."},
                                           {"layers.#.attention.k_proj.", "encoder.layer.#.attention.attention.key."},
                                           {"layers.#.attention.v_proj.", "encoder.layer.#.attention.attention.value."},
                                           {"layers.#.attention.o_proj.", "encoder.layer.#.attention.output.dense."},
                                           {"layers.#.mlp.fc1.", "encoder.layer.#.intermediate.dense."},
                                           {"layers.#.mlp.fc2.", "encoder.layer.#.output.dense."},
                                           {"layers.#.layernorm_", "encoder.layer.#.layernorm_"},
                                           {"", ""}}};  // the other names are equal
  return memory.file_name(name);
}

inline const io::Layout& vit_layout() {
  static const io::Layout layout{
      .rules = {{"class_token", "embeddings.cls_token"},
                {"position", "embeddings.position_embeddings"},
                {"patch.", "embeddings.patch_embeddings.projection."},
                {"layers.#.attention_norm.", "encoder.layer.#.layernorm_before."},
                {"layers.#.query.", "encoder.layer.#.attention.attention.query."},
                {"layers.#.key.", "encoder.layer.#.attention.attention.key."},
                {"layers.#.value.", "encoder.layer.#.attention.attention.value."},
                {"layers.#.attention_output.", "encoder.layer.#.attention.output.dense."},
                {"layers.#.output_norm.", "encoder.layer.#.layernorm_after."},
                {"layers.#.inner.", "encoder.layer.#.intermediate.dense."},
                {"layers.#.output.", "encoder.layer.#.output.dense."},
                {"norm.", "layernorm."},
                {"pooler.", "pooler.dense."}},
      .prefixes = {"vit."},
      .ignore = {"classifier\\..*", "decoder\\..*", "embeddings\\.mask_token", "embeddings\\.position_ids"},
      .modern = vit_disk_name};
  return layout;
}

}  // namespace detail

inline VitOptions VitOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  config.model_type({"vit"});
  VitOptions o;
  detail::read_sizes(config, o);
  o.dropout = config.dropout("hidden_dropout_prob", 0);
  config.only("qkv_bias", true);
  config.only<std::string>("pooler_act", "tanh");
  // Older files lack the key; their pooler is as wide as a token.
  o.pooler = config.has("pooler_output_size") ? config.size("pooler_output_size", 1, 1'000'000) : o.width;
  o.pixels = PixelNorm::from_directory(directory, o.pixels);
  return o;
}

inline nlohmann::json VitOptions::to_config() const {
  auto json = detail::write_sizes(*this);
  json.update({{"model_type", "vit"},
               {"architectures", {"ViTModel"}},
               {"hidden_dropout_prob", dropout},
               {"attention_probs_dropout_prob", dropout},
               {"qkv_bias", true},
               {"pooler_act", "tanh"},
               {"pooler_output_size", pooler > 0 ? pooler : width}});
  return json;
}

inline Vit::Vit(VitOptions options) : VisionTransformer(options, detail::vit_structure), vit_(options) {
  if (options.pooler > 0) pooler_ = register_module("pooler", torch::nn::Linear(options.width, options.pooler));
}

inline std::shared_ptr<Vit> Vit::from_pretrained(const std::filesystem::path& directory, io::LoadReport* report) {
  auto options = VitOptions::from_config(directory);
  if (!detail::has_weight(directory, "pooler.dense.weight", detail::vit_layout().prefixes)) options.pooler = 0;
  const nn::Uninitialized all_are_read(report == nullptr);
  auto vit = io::made(directory.string(), [&] { return std::make_shared<Vit>(options); });
  io::load_pretrained(*vit, directory, detail::vit_layout(), report);
  return vit;
}

inline void Vit::save_pretrained(const std::filesystem::path& directory) const {
  io::save_pretrained(*this, directory, detail::vit_layout(), vit_.to_config());
  const auto side = vit_.image_size;
  vit_.pixels.save(directory, {{"image_processor_type", "ViTImageProcessor"},
                               {"do_resize", true},
                               {"resample", 2},
                               {"size", {{"height", side}, {"width", side}}}});
}

static_assert(Policy<Vit>);

}  // namespace rc3::visual::backbone
