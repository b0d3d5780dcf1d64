#pragma once
/// Dual encoder: images and texts in one space, without fusion. CLIP and SigLIP are dual encoders.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/hf/open_clip.hpp"
#include "rc3/io/weights.hpp"
#include "rc3/text/clip_text.hpp"
#include "rc3/text/clip_tokenizer.hpp"
#include "rc3/text/clip_xlm_roberta.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/text/siglip_text.hpp"
#include "rc3/text/siglip_tokenizer.hpp"
#include "rc3/visual/backbone/clip_vision.hpp"
#include "rc3/visual/backbone/siglip_vision.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3 {

/// Logits of a DualEncoder: their initial scale and bias.
struct DualEncoderOptions {
  double scale = 1 / 0.07;  ///< initial factor of cosines in logits, > 0; a parameter, stored as its logarithm
  double bias = 0;          ///< initial sum with the logits
  bool has_bias = false;    ///< whether the bias is a parameter (SigLIP); else it must be 0
};

template <class V>
void visit_fields(DualEncoderOptions& o, V&& v) {
  v("scale", o.scale, "initial factor of cosines in logits");
  v("bias", o.bias, "initial sum with the logits");
  v("has_bias", o.has_bias, "whether the bias is a parameter");
}

/// Two towers whose outputs are compared by their cosine.
/// @tparam Visual  visual::backbone::PoolsImages, for example visual::backbone::ClipVision
/// @tparam Text    text::Policy; if it is text::Projects, its projection leads into the shared space
template <class Visual, class Text>
class DualEncoder : public torch::nn::Module {
  static_assert(visual::backbone::PoolsImages<Visual>,
                "visual tower: last_hidden(const Images&), pool(const torch::Tensor&) and pooled_width() "
                "[docs/concepts/dual-encoder.md]");
  static_assert(!visual::backbone::PoolsImages<Visual> || text::Policy<Text>,
                "text policy: encode(const Texts&), pool(const Tokens&) and width() [docs/concepts/text.md]");

  template <class T>
  struct TokenizerOf {
    using type = text::Tokenizer;
  };
  template <class T>
  requires requires { typename T::Tokenizer; }
  struct TokenizerOf<T> {
    using type = typename T::Tokenizer;
  };

 public:
  /// The text tower's, for example text::ClipTokenizer; text::Tokenizer if it names none.
  using Tokenizer = typename TokenizerOf<Text>::type;

  /// "model_type" of the directories that from_pretrained() reads; empty if the towers have none.
  static constexpr std::string_view model_type = [] {
    if constexpr (requires { Text::dual_model_type; })
      return Text::dual_model_type;
    else if constexpr (requires { Visual::dual_model_type; })
      return Visual::dual_model_type;
    else
      return std::string_view();
  }();

  /// @throws rc3::Error if the towers end in spaces of different widths, or for an invalid option
  DualEncoder(std::shared_ptr<Visual> visual, std::shared_ptr<Text> text, DualEncoderOptions options = {});

  /// Loads the directory that transformers writes of a whole CLIPModel or SiglipModel, or open_clip of a model on
  /// XLM-R.
  /// @throws rc3::Error naming the file, and the key or tensor that is missing, unknown or of another shape
  static std::shared_ptr<DualEncoder> from_pretrained(const std::filesystem::path& directory) requires
      requires(const std::filesystem::path& path) {
    Visual::from_pretrained(path);
    Text::from_pretrained(path);
  };

  /// Tokenizer of such a directory, with the options that the model was trained with.
  /// @throws rc3::Error naming the file that is missing or damaged
  static Tokenizer tokenizer(const std::filesystem::path& directory) requires
      requires(const std::filesystem::path& path) {
    Tokenizer::from_pretrained(path);
  }
  {
    if constexpr (requires { Text::tokenizer_options(directory); })
      return Tokenizer::from_pretrained(directory, Text::tokenizer_options(directory));
    else
      return Tokenizer::from_pretrained(directory);
  }

  static std::string name() { return type_name<DualEncoder>(); }

  /// @param images  pixels, uint8 or float [B, 3, H, W] in 0..255. @return Tokens [B, N, D] of the visual tower
  Tokens visual(const Images& images) {
    const auto hidden = visual_->last_hidden(images);
    return {hidden, at::ones({hidden.size(0), hidden.size(1)}, hidden.options().dtype(at::kBool))};
  }
  /// @return Tokens [B, L, D] of the text tower
  Tokens text(const Texts& texts) { return text_->encode(texts); }

  /// @return unit-norm embeddings, float [B, E]
  at::Tensor image_embedding(const Tokens& visual) { return nn::l2_normalize(visual_->pool(visual.values)); }
  /// @return unit-norm embeddings, float [B, E]
  at::Tensor text_embedding(const Tokens& text) {
    const auto pooled = text_->pool(text);
    if constexpr (text::Projects<Text>)
      return nn::l2_normalize(text_->project(pooled));
    else
      return nn::l2_normalize(pooled);
  }

  /// Cosines times scale, plus bias. A softmax (CLIP) or a sigmoid (SigLIP) makes probabilities of them.
  /// @param images, texts  unit-norm embeddings, float [n, E] and [m, E]  @return float [n, m]
  at::Tensor logits(const at::Tensor& images, const at::Tensor& texts) const {
    const auto scaled = images.matmul(texts.t()) * log_scale_.exp();
    return bias_.defined() ? scaled + bias_ : scaled;
  }

  double scale() const { return std::exp(log_scale_.item<double>()); }                 ///< above 0
  double bias() const { return bias_.defined() ? bias_.template item<double>() : 0; }  ///< 0 without a bias

  /// Sets scale and bias, for example those that an objective has learned. @throws rc3::Error for an invalid one
  void set_logits(double scale, double bias) {
    check(scale, bias, options_.has_bias);
    c10::NoGradGuard no_grad;
    log_scale_.fill_(std::log(scale));
    if (bias_.defined()) bias_.fill_(bias);
  }

  /// E, width of the embeddings.
  std::int64_t width() const { return visual_->pooled_width(); }
  const std::shared_ptr<Visual>& visual_policy() const { return visual_; }
  const std::shared_ptr<Text>& text_policy() const { return text_; }
  const DualEncoderOptions& options() const { return options_; }
  /// Visual and text policy, for rc3::save.
  std::tuple<std::shared_ptr<Visual>, std::shared_ptr<Text>> parts() const { return {visual_, text_}; }

 private:
  static void check(double scale, double bias, bool has_bias) {
    require(scale > 0 && std::isfinite(scale), "rc3::DualEncoder: scale must be above 0, is ", scale);
    require(std::isfinite(bias) && (has_bias || bias == 0), "rc3::DualEncoder: bias must be ",
            has_bias ? "finite" : "0, as has_bias is false", ", is ", bias);
  }

  DualEncoderOptions options_;
  std::shared_ptr<Visual> visual_;
  std::shared_ptr<Text> text_;
  at::Tensor log_scale_, bias_;
};

template <class Visual, class Text>
DualEncoder<Visual, Text>::DualEncoder(std::shared_ptr<Visual> visual, std::shared_ptr<Text> text,
                                       DualEncoderOptions options)
    : options_(options) {
  require(visual != nullptr && text != nullptr, "rc3::DualEncoder: a tower is null");
  check(options.scale, options.bias, options.has_bias);
  std::int64_t texts = text->width();
  if constexpr (text::Projects<Text>) texts = text->projection_width();
  require(visual->pooled_width() == texts, "rc3::DualEncoder: images are embedded ", visual->pooled_width(),
          " wide, texts ", texts, "; both towers must project into one space");
  visual_ = register_module("visual", std::move(visual));
  text_ = register_module("text", std::move(text));
  log_scale_ = register_parameter("log_scale", at::tensor(std::log(options.scale), at::kFloat));
  if (options.has_bias) bias_ = register_parameter("bias", at::tensor(options.bias, at::kFloat));
}

template <class Visual, class Text>
std::shared_ptr<DualEncoder<Visual, Text>> DualEncoder<Visual, Text>::from_pretrained(
    const std::filesystem::path& directory) requires requires(const std::filesystem::path& path) {
  Visual::from_pretrained(path);
  Text::from_pretrained(path);
}
{
  const io::Weights weights(io::is_open_clip(directory) ? io::OpenClip::weights_of(directory) : directory);
  const auto scalar = [&](const char* name) {
    const auto tensor = weights.read(name);
    require(tensor.numel() == 1, directory.string(), ": \"", name, "\" must be one number, is ", tensor.sizes());
    return tensor.template item<double>();
  };
  require(weights.readers().contains("logit_scale"), directory.string(),
          ": has no tensor \"logit_scale\"; a whole model is needed, not one of its towers");
  DualEncoderOptions options;
  options.scale = std::exp(scalar("logit_scale"));
  options.has_bias = weights.readers().contains("logit_bias");
  if (options.has_bias) options.bias = scalar("logit_bias");
  return std::make_shared<DualEncoder>(Visual::from_pretrained(directory), Text::from_pretrained(directory), options);
}

}  // namespace rc3
