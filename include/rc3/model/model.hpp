#pragma once
/// Policy host: a model of a visual policy, a text encoder and a fusion encoder.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>
#include <tuple>

#include "rc3/config/fields.hpp"
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/core/nn/linear.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/model/diagnosis.hpp"

namespace rc3 {

/// Heads of a Model that embed images and texts for search.
struct ModelOptions {
  std::int64_t embedding = 384;  ///< E, width of the embeddings for search, > 0
  std::int64_t hidden = 1024;    ///< inner width of the image head, > 0
  double image_dropout = 0.5;    ///< before both layers of the image head, in training, probability in [0, 1)
  double text_dropout = 0.2;     ///< before the text head, in training, probability in [0, 1)
};

template <class V>
void visit_fields(ModelOptions& o, V&& v) {
  v("embedding", o.embedding, "width of the embeddings for search", config::above(0));
  v("hidden", o.hidden, "inner width of the image head", config::above(0));
  v("image_dropout", o.image_dropout, "before both layers of the image head, in training", config::from_to_below(0, 1));
  v("text_dropout", o.text_dropout, "before the text head, in training", config::from_to_below(0, 1));
}

/// Vision-language model: embeds images and texts in one space (for search), and fuses both to z.
/// @tparam Visual  visual::Policy
/// @tparam Text    text::Policy
/// @tparam Fusion  fusion::Policy
/// All three must have the same width D.
template <visual::Policy Visual, text::Policy Text, fusion::Policy Fusion>
class Model<Visual, Text, Fusion> : public torch::nn::Module {
 public:
  /// @throws rc3::Error if the widths differ
  Model(std::shared_ptr<Visual> visual, std::shared_ptr<Text> text, std::shared_ptr<Fusion> fusion,
        ModelOptions options = {})
      : options_(options),
        visual_(register_module("visual", std::move(visual))),
        text_(register_module("text", std::move(text))),
        fusion_(register_module("fusion", std::move(fusion))) {
    const auto d = fusion_->width();
    require(visual_->width() == d && text_->width() == d, "rc3::Model: visual tokens are ", visual_->width(),
            " wide, text tokens ", text_->width(), ", the fusion encoder wants ", d, "; give all three the same width");
    require(options.embedding > 0, "rc3::Model: embedding must be positive, is ", options.embedding);
    std::int64_t pooled = 2 * d;
    if constexpr (requires { visual_->summary_width(); }) pooled = visual_->summary_width();
    image_center_ = register_buffer("image_center", at::zeros({pooled}));
    image_scale_ = register_buffer("image_scale", at::ones({pooled}));
    image_hidden_ = register_module("image_hidden", torch::nn::Linear(pooled, options.hidden));
    image_head_ = register_module("image_head", torch::nn::Linear(options.hidden, options.embedding));
    text_head_ = register_module("text_head", torch::nn::Linear(d, options.embedding));
    text_center_ = register_buffer("text_center", at::zeros({d}));
    text_scale_ = register_buffer("text_scale", at::ones({}));
    if (d == options.embedding) {  // the shared space starts as the text encoder's space
      c10::NoGradGuard no_grad;
      text_head_->weight.copy_(at::eye(d));
      text_head_->bias.zero_();
    }
    itm_head_ = register_module("itm_head", torch::nn::Linear(d, 1));
  }

  /// Type name of the variant: "Model<visual::Patch<...>, text::Bert, fusion::SingleStream>".
  static std::string name() { return type_name<Model>(); }

  /// @param to_fuse  whether fuse() will read the tokens; false saves the token embeddings that some encoders need
  /// @return Tokens [B, V, D]; with `embeddings` [B, V, E] if the fusion encoder reads them and @p to_fuse is true
  Tokens visual(const Images& images, bool to_fuse = true) {
    auto tokens = visual_->encode(images);
    if constexpr (uses_token_embeddings) {
      if (!to_fuse) return tokens;
      c10::NoGradGuard no_grad;  // embeddings are inputs here, without training
      const auto b = tokens.values.size(0), n = tokens.values.size(1);
      tokens.embeddings = at::zeros({b, n, options_.embedding}, tokens.values.options().dtype(at::kFloat));
      if (tokens.summaries.defined()) {
        const auto r = tokens.summaries.size(1);
        tokens.embeddings.narrow(1, 0, r).copy_(search_image(tokens.summaries, false) *
                                                tokens.mask.narrow(1, 0, r).unsqueeze(2));
      }
    }
    return tokens;
  }
  /// @return Tokens [B, L, D]; with `embeddings` [B, L, E] if the fusion encoder reads them and @p to_fuse is true
  Tokens text(const Texts& texts, bool to_fuse = true) {
    auto tokens = text_->encode(texts);
    if constexpr (uses_token_embeddings) {
      if (!to_fuse) return tokens;
      c10::NoGradGuard no_grad;
      tokens.embeddings = search_text(tokens.values, false) * tokens.mask.unsqueeze(2);
    }
    return tokens;
  }

  /// Image embeddings in the shared space: the image head's outputs for the image's summary and, on average, its
  /// regions' summaries. If both exist, each has weight 1/2.
  /// @return unit-norm embeddings, float [B, E]
  at::Tensor image_embedding(const Tokens& visual) {
    const auto whole = pooled(visual);
    if (!visual.summaries.defined()) return search_image(whole, true);
    // The summary is zero for an image without patches and for a region outside the mask.
    const auto mask = visual.mask.narrow(1, 0, visual.summaries.size(1)).unsqueeze(2);
    const auto regions = (search_image(visual.summaries, true) * mask).sum(1) / mask.sum(1).clamp_min(1);
    return nn::l2_normalize(search_image(whole, true) * whole.ne(0).any(1, true) + nn::l2_normalize(regions));
  }
  /// Text embeddings in the shared space. @return unit-norm embeddings, float [B, E]
  at::Tensor text_embedding(const Tokens& text) { return search_text(text_->pool(text), true); }

  /// z = g(v, x). @return float [B, D]
  at::Tensor fuse(const Tokens& visual, const Tokens& text) { return fusion_->fuse(visual, text); }

  /// z and every token's state, if the fusion encoder has them.
  /// @return z, float [B, D], and Tokens [B, V, D] and [B, L, D]
  Fused fuse_tokens(const Tokens& visual, const Tokens& text) requires fusion::FusesTokens<Fusion> {
    return fusion_->fuse_tokens(visual, text);
  }

  /// Image-text matching logits. @param z  float [B, D]  @return logits, float [B]
  at::Tensor itm_logits(const at::Tensor& z) { return nn::linear(itm_head_, z).squeeze(1); }

  /// Sets the centre and scale by which the text head standardises its input. Without them differences between texts
  /// would be small: pooled outputs of multilingual-e5 have cosines around 0.8 for any texts.
  /// @param pooled  float [n, D], n >= 2, of representative texts
  /// @throws rc3::Error for another shape, or fewer than two texts
  void calibrate_texts(const at::Tensor& pooled) {
    check_shape("rc3::Model", "pooled", pooled, {{'n'}, {'D', text_->width()}});
    require(pooled.size(0) >= 2, "rc3::Model: calibrate_texts needs two texts or more");
    c10::NoGradGuard no_grad;
    text_center_.copy_(pooled.mean(0));
    text_scale_.copy_(at::linalg_vector_norm(pooled - text_center_, 2, 1).mean().clamp_min(1e-6));
  }

  /// Sets the centre and scale for the image head. @param visual  Tokens of representative images, two or more
  /// @throws rc3::Error for fewer than two images
  void calibrate_images(const Tokens& visual) {
    c10::NoGradGuard no_grad;
    const auto x = pooled(visual);
    require(x.size(0) >= 2, "rc3::Model: calibrate_images needs two images or more");
    image_center_.copy_(x.mean(0));
    image_scale_.copy_(x.std(0).clamp_min(1e-3));
  }

  /// D, width of tokens and of z.
  std::int64_t width() const { return fusion_->width(); }
  const std::shared_ptr<Visual>& visual_policy() const { return visual_; }
  const std::shared_ptr<Text>& text_policy() const { return text_; }
  const ModelOptions& options() const { return options_; }
  /// Policies in the order of the constructor, for rc3::save.
  std::tuple<std::shared_ptr<Visual>, std::shared_ptr<Text>, std::shared_ptr<Fusion>> parts() const {
    return {visual_, text_, fusion_};
  }

 private:
  /// Whether tokens carry embeddings: only if the fusion encoder reads them (`uses_token_embeddings`).
  static constexpr bool uses_token_embeddings = requires { requires Fusion::uses_token_embeddings; };

  at::Tensor drop(const at::Tensor& x, double p) const { return nn::dropout(x, p, is_training()); }
  /// @param summary  float [..., S]  @return unit-norm embeddings, float [..., E]
  at::Tensor search_image(const at::Tensor& summary, bool dropout) {
    const auto p = dropout ? options_.image_dropout : 0.0;
    const auto x = drop((summary - image_center_) / image_scale_, p);
    return nn::l2_normalize(nn::linear(image_head_, drop(at::gelu(nn::linear(image_hidden_, x)), p)));
  }
  /// @param states  float [..., D]  @return unit-norm embeddings, float [..., E]
  at::Tensor search_text(const at::Tensor& states, bool dropout) {
    return nn::l2_normalize(
        nn::linear(text_head_, drop((states - text_center_) / text_scale_, dropout ? options_.text_dropout : 0)));
  }
  /// The image head's input before calibration. @return float [B, S]
  at::Tensor pooled(const Tokens& visual) const {
    if constexpr (requires { visual_->summary_width(); }) return visual.summary;
    require(
        visual.values.size(1) > 0,
        "rc3::Model: the images of this batch have no visual token: its visual policy reads regions alone, and there "
        "are none; give boxes, or a policy that reads patches too (visual::Both)");
    // Mean and maximum over the tokens: overall content of the image, and features present in any part.
    const auto mask = visual.mask.unsqueeze(2);
    const auto mean = (visual.values * mask).sum(1) / mask.sum(1).clamp_min(1);
    const auto highest = visual.values.masked_fill(~mask, -1e4).amax(1);
    return at::cat({mean, highest}, 1);
  }

  ModelOptions options_;
  std::shared_ptr<Visual> visual_;
  std::shared_ptr<Text> text_;
  std::shared_ptr<Fusion> fusion_;
  at::Tensor text_center_, text_scale_, image_center_, image_scale_;
  torch::nn::Linear image_hidden_{nullptr}, image_head_{nullptr}, text_head_{nullptr}, itm_head_{nullptr};
};

}  // namespace rc3
