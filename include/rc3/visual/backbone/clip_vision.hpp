#pragma once
/// Image encoder of CLIP.

#include <torch/nn/modules/linear.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rc3/preprocess/open_clip.hpp"
#include "rc3/visual/backbone/detail/vision_config.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

/// Options; the defaults are OpenAI's ViT-B/32.
struct ClipVisionOptions : VisionTransformerOptions {
  ClipVisionOptions() {
    patch_size = 32;
    norm_eps = 1e-5;
    activation = nn::Activation::quick_gelu;
    pixels = PixelNorm::clip();
  }

  std::int64_t projection = 512;  ///< E, width of the space shared with texts; 0: no projection

  /// Reads config.json of the vision model or of a whole CLIP, and preprocessor_config.json if it exists. `projection`
  /// is the key projection_dim, 0 if missing.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static ClipVisionOptions from_config(const std::filesystem::path& directory);
  /// The same from open_clip_config.json. @throws rc3::Error for a tower that is no plain ViT
  static ClipVisionOptions from_open_clip(const std::filesystem::path& directory);
  /// config.json of the vision model with these sizes.
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(ClipVisionOptions& o, V&& v) {
  visit_fields(static_cast<VisionTransformerOptions&>(o), v);
  v("projection", o.projection, "width of the space shared with texts; 0: no projection", config::at_least(0));
}

/// ViT with a norm before its layers, no bias in the patch embedding, and a final norm for the class token only.
/// Source: Radford et al. 2021 (CLIP).
class ClipVision : public detail::VisionTransformer {
 public:
  static constexpr std::string_view dual_model_type = "clip";  ///< "model_type" of a directory of both towers

  /// Random weights.
  /// @throws rc3::Error if `image_size` is below `patch_size`, or `heads` does not divide `width`
  explicit ClipVision(ClipVisionOptions options = {});

  /// Loads a transformers directory: the vision model with or without projection, or a whole CLIP without its text
  /// encoder. A directory of open_clip is read too, if its image tower is a plain ViT.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<ClipVision> from_pretrained(const std::filesystem::path& directory,
                                                     io::LoadReport* report = nullptr);

  /// Writes config.json, preprocessor_config.json and model.safetensors, for transformers'
  /// CLIPVisionModelWithProjection, or CLIPVisionModel without a projection.
  void save_pretrained(const std::filesystem::path& directory) const;

  /// Embedding of a whole image, not normalised. @return as pool()
  at::Tensor pooled(const Images& images) { return pool(last_hidden(images)); }

  /// The same, from @p last_hidden [B, 1+P, D]: the norm of the class token, projected if the directory has a
  /// projection. @return float [B, pooled_width()]
  at::Tensor pool(const at::Tensor& last_hidden) {
    const auto first = norm_->forward(last_hidden.select(1, 0));
    return projection_ ? projection_->forward(first) : first;
  }

  /// E; without a projection the width of a token.
  std::int64_t pooled_width() const { return clip_.projection > 0 ? clip_.projection : channels(); }
  const ClipVisionOptions& options() const { return clip_; }

 private:
  ClipVisionOptions clip_;
  torch::nn::Linear projection_{nullptr};
};

namespace detail {
inline constexpr Structure clip_structure{.name = "visual::backbone::ClipVision",
                                          .class_token = true,
                                          .patch_bias = false,
                                          .pre_norm = true,
                                          .norm_all = false,
                                          .batch_axis = false};
}  // namespace detail

inline ClipVisionOptions ClipVisionOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  const bool whole = config.model_type({"clip_vision_model", "clip"}) == "clip";
  const auto vision = whole ? config.section("vision_config") : config;
  ClipVisionOptions o;
  detail::read_sizes(vision, o);
  o.dropout = vision.dropout("attention_dropout", 0);
  // A whole CLIP projects to its own projection_dim; its vision_config may contain another value.
  o.projection = config.has("projection_dim") ? config.size("projection_dim", 1, 1'000'000) : 0;
  o.pixels = PixelNorm::from_directory(directory, o.pixels);
  return o;
}

inline ClipVisionOptions ClipVisionOptions::from_open_clip(const std::filesystem::path& directory) {
  const auto file = io::open_clip_config(directory);
  const auto model = file.section("model_cfg"), vision = model.section("vision_cfg");
  io::only_keys(vision, {"image_size", "layers", "width", "head_width", "mlp_ratio", "patch_size", "patch_dropout"});
  ClipVisionOptions o;
  o.width = vision.size("width", 1, 1'000'000);
  o.layers = vision.size("layers", 1, 1000);
  const auto head = vision.has("head_width") ? vision.size("head_width", 1, 100'000) : 64;
  require(o.width % head == 0, vision.where(), ": width ", o.width, " is no multiple of head_width ", head);
  o.heads = o.width / head;
  const auto ratio = vision.has("mlp_ratio") ? vision.positive("mlp_ratio") : 4.0;
  o.feed_forward = static_cast<std::int64_t>(static_cast<double>(o.width) * ratio);
  o.image_size = vision.size("image_size", 1, 10'000);
  o.patch_size = vision.size("patch_size", 1, 10'000);
  const bool quick = model.has("quick_gelu") && io::get<bool>(model.json(), "quick_gelu", model.where());
  o.activation = quick ? nn::Activation::quick_gelu : nn::Activation::gelu;
  o.projection = model.size("embed_dim", 1, 1'000'000);
  if (file.has("preprocess_cfg")) {
    const auto images = preprocess::open_clip_options(directory);
    o.pixels = {images.mean, images.std, images.rescale};
  }
  return o;
}

inline nlohmann::json ClipVisionOptions::to_config() const {
  auto json = detail::write_sizes(*this);
  json.update({{"model_type", "clip_vision_model"},
               {"architectures", {projection > 0 ? "CLIPVisionModelWithProjection" : "CLIPVisionModel"}},
               {"attention_dropout", dropout}});
  if (projection > 0) json["projection_dim"] = projection;
  return json;
}

inline ClipVision::ClipVision(ClipVisionOptions options)
    : VisionTransformer(options, detail::clip_structure), clip_(options) {
  if (options.projection > 0)
    projection_ = register_module(
        "projection", torch::nn::Linear(torch::nn::LinearOptions(options.width, options.projection).bias(false)));
}

inline std::shared_ptr<ClipVision> ClipVision::from_pretrained(const std::filesystem::path& directory,
                                                               io::LoadReport* report) {
  const nn::Uninitialized all_are_read(report == nullptr);
  if (io::is_open_clip(directory)) {
    auto clip = io::made(directory.string(),
                         [&] { return std::make_shared<ClipVision>(ClipVisionOptions::from_open_clip(directory)); });
    io::load_pretrained(*clip, io::OpenClip(directory).vision_tensors(), detail::clip_layout(""), report);
    return clip;
  }
  auto options = ClipVisionOptions::from_config(directory);
  const bool projects = detail::has_weight(directory, "visual_projection.weight", {});
  require(!projects || options.projection > 0, (directory / "config.json").string(),
          ": the key \"projection_dim\" is missing, but there is a visual_projection.weight");
  if (!projects) options.projection = 0;
  auto clip = io::made(directory.string(), [&] { return std::make_shared<ClipVision>(options); });
  io::load_pretrained(*clip, directory, detail::clip_layout(""), report);
  return clip;
}

inline void ClipVision::save_pretrained(const std::filesystem::path& directory) const {
  io::save_pretrained(*this, directory, detail::clip_layout("vision_model."), clip_.to_config());
  const auto side = clip_.image_size;
  clip_.pixels.save(directory, {{"image_processor_type", "CLIPImageProcessor"},
                                {"do_convert_rgb", true},
                                {"do_resize", true},
                                {"resample", 3},
                                {"size", {{"shortest_edge", side}}},
                                {"do_center_crop", true},
                                {"crop_size", {{"height", side}, {"width", side}}}});
}

static_assert(Policy<ClipVision>);

}  // namespace rc3::visual::backbone
