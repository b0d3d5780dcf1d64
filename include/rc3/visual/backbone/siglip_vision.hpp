#pragma once
/// Image encoder of SigLIP.

#include <filesystem>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>

#include "rc3/visual/backbone/detail/attention_pool.hpp"
#include "rc3/visual/backbone/detail/vision_config.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3::visual::backbone {

/// Options; the defaults are SigLIP-Base, patches of 16, images of 224.
struct SiglipVisionOptions : VisionTransformerOptions {
  SiglipVisionOptions() { activation = nn::Activation::gelu_tanh; }

  bool head = true;  ///< whether the model has a pooling head

  /// Reads config.json of the vision model or of a whole SigLIP, and preprocessor_config.json if it exists.
  /// @throws rc3::Error naming the file and the missing or invalid key
  static SiglipVisionOptions from_config(const std::filesystem::path& directory);
  /// config.json of the vision model with these sizes.
  nlohmann::json to_config() const;
};

template <class V>
void visit_fields(SiglipVisionOptions& o, V&& v) {
  visit_fields(static_cast<VisionTransformerOptions&>(o), v);
  v("head", o.head, "whether the model has a pooling head");
}

/// ViT without class token; an attention layer pools the patches.
/// Source: Zhai et al. 2023 (SigLIP).
class SiglipVision : public detail::VisionTransformer {
 public:
  static constexpr std::string_view dual_model_type = "siglip";  ///< "model_type" of a directory of both towers

  /// Random weights.
  /// @throws rc3::Error if `image_size` is below `patch_size`, or `heads` does not divide `width`
  explicit SiglipVision(SiglipVisionOptions options = {});

  /// Loads a transformers directory: the vision model, or a whole SigLIP without its text encoder.
  /// @param report  if given, receives the name of every tensor, and a missing or unused one is not an error
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<SiglipVision> from_pretrained(const std::filesystem::path& directory,
                                                       io::LoadReport* report = nullptr);

  /// Writes config.json, preprocessor_config.json and model.safetensors, for transformers' SiglipVisionModel.
  void save_pretrained(const std::filesystem::path& directory) const;

  /// Embedding of a whole image, not normalised. @return as pool()
  at::Tensor pooled(const Images& images) { return pool(last_hidden(images)); }

  /// The same, from @p last_hidden [B, P, D]. @return float [B, D]. @throws rc3::Error without a head
  at::Tensor pool(const at::Tensor& last_hidden) {
    require(head_ != nullptr, "visual::backbone::SiglipVision: has no head to pool with; use features or last_hidden");
    return head_->forward(last_hidden);
  }

  std::int64_t pooled_width() const { return channels(); }  ///< D: the head keeps the width of a token
  const SiglipVisionOptions& options() const { return siglip_; }

 private:
  SiglipVisionOptions siglip_;
  std::shared_ptr<detail::AttentionPool> head_;
};

namespace detail {
inline constexpr Structure siglip_structure{.name = "visual::backbone::SiglipVision",
                                            .class_token = false,
                                            .patch_bias = true,
                                            .pre_norm = false,
                                            .norm_all = true,
                                            .batch_axis = false};
}  // namespace detail

inline SiglipVisionOptions SiglipVisionOptions::from_config(const std::filesystem::path& directory) {
  const io::Config config(directory);
  const bool whole = config.model_type({"siglip_vision_model", "siglip"}) == "siglip";
  const auto vision = whole ? config.section("vision_config") : config;
  SiglipVisionOptions o;
  detail::read_sizes(vision, o);
  o.dropout = vision.dropout("attention_dropout", 0);
  // A missing key means a head, as in transformers; a file without its weights is then refused by name.
  o.head = io::get_or(vision.json(), "vision_use_head", vision.where(), true);
  o.pixels = PixelNorm::from_directory(directory, o.pixels);
  return o;
}

inline nlohmann::json SiglipVisionOptions::to_config() const {
  auto json = detail::write_sizes(*this);
  json.update({{"model_type", "siglip_vision_model"},
               {"architectures", {"SiglipVisionModel"}},
               {"attention_dropout", dropout},
               {"vision_use_head", head}});
  return json;
}

inline SiglipVision::SiglipVision(SiglipVisionOptions options)
    : VisionTransformer(options, detail::siglip_structure), siglip_(options) {
  if (options.head) head_ = register_module("head", std::make_shared<detail::AttentionPool>(options));
}

inline std::shared_ptr<SiglipVision> SiglipVision::from_pretrained(const std::filesystem::path& directory,
                                                                   io::LoadReport* report) {
  const nn::Uninitialized all_are_read(report == nullptr);
  auto siglip = io::made(directory.string(),
                         [&] { return std::make_shared<SiglipVision>(SiglipVisionOptions::from_config(directory)); });
  io::load_pretrained(*siglip, directory, detail::clip_layout(""), report);
  return siglip;
}

inline void SiglipVision::save_pretrained(const std::filesystem::path& directory) const {
  io::save_pretrained(*this, directory, detail::clip_layout("vision_model."), siglip_.to_config());
  const auto side = siglip_.image_size;
  siglip_.pixels.save(directory, {{"image_processor_type", "SiglipImageProcessor"},
                                  {"do_convert_rgb", true},
                                  {"do_resize", true},
                                  {"resample", 3},
                                  {"size", {{"height", side}, {"width", side}}}});
}

static_assert(Policy<SiglipVision>);

}  // namespace rc3::visual::backbone
