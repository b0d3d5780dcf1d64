#pragma once
/// The policy host: a visual policy, a text encoder and a fusion encoder make a model.

#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/core/nn/unit.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/model/diagnosis.hpp"

namespace rc3 {

struct ModelOptions {
  std::int64_t embedding = 256;  ///< E, width of the vectors that are searched
  double dropout = 0.1;          ///< before the projections into E, in training, probability in [0, 1)
};

/// A vision-language model: pictures and texts to vectors of one space (for search), and both together to z.
/// @tparam Visual  visual::Policy
/// @tparam Text    text::Policy
/// @tparam Fusion  fusion::Policy
/// All three must have the same width D.
template <visual::Policy Visual, text::Policy Text, fusion::Policy Fusion>
class Model<Visual, Text, Fusion> : public torch::nn::Module {
 public:
  /// @throws rc3::Error if the widths differ
  Model(std::shared_ptr<Visual> visual, std::shared_ptr<Text> text, std::shared_ptr<Fusion> fusion,
        ModelOptions options = {});

  /// The variant, as a type: "Model<visual::Patch<...>, text::Bert, fusion::SingleStream>".
  static std::string name() { return type_name<Model>(); }

  Tokens visual(const Pictures& pictures) { return visual_->encode(pictures); }
  Tokens text(const Texts& texts) { return text_->encode(texts); }

  /// Where pictures lie in the space of search. @return unit vectors, float [B, E]
  at::Tensor picture_vector(const Tokens& visual);
  /// Where texts lie in it. @return unit vectors, float [B, E]
  at::Tensor text_vector(const Tokens& text) { return nn::unit(text_head_->forward(drop(text_->pool(text)))); }

  /// z = g(v, x). @return float [B, D]
  at::Tensor fuse(const Tokens& visual, const Tokens& text) { return fusion_->fuse(visual, text); }

  /// How sure the model is that picture and text belong together. @param z float [B, D]  @return logits, float [B]
  at::Tensor match_score(const at::Tensor& z) { return match_head_->forward(z).squeeze(1); }

  const std::shared_ptr<Visual>& visual_policy() const { return visual_; }
  const std::shared_ptr<Text>& text_policy() const { return text_; }
  const ModelOptions& options() const { return options_; }

 private:
  at::Tensor drop(const at::Tensor& x) const { return at::dropout(x, options_.dropout, is_training()); }

  ModelOptions options_;
  std::shared_ptr<Visual> visual_;
  std::shared_ptr<Text> text_;
  std::shared_ptr<Fusion> fusion_;
  torch::nn::Linear pool_score_{nullptr}, picture_hidden_{nullptr}, picture_head_{nullptr}, text_head_{nullptr},
      match_head_{nullptr};
};

template <visual::Policy Visual, text::Policy Text, fusion::Policy Fusion>
Model<Visual, Text, Fusion>::Model(std::shared_ptr<Visual> visual, std::shared_ptr<Text> text,
                                   std::shared_ptr<Fusion> fusion, ModelOptions options)
    : options_(options),
      visual_(register_module("visual", std::move(visual))),
      text_(register_module("text", std::move(text))),
      fusion_(register_module("fusion", std::move(fusion))) {
  const auto d = fusion_->width();
  require(visual_->width() == d && text_->width() == d, "rc3::Model: visual tokens are ", visual_->width(),
          " wide, text tokens ", text_->width(), ", the fusion encoder wants ", d, "; give all three the same width");
  require(options.embedding > 0, "rc3::Model: embedding must be positive, is ", options.embedding);
  pool_score_ = register_module("pool_score", torch::nn::Linear(d, 1));
  picture_hidden_ = register_module("picture_hidden", torch::nn::Linear(d, 2 * d));
  picture_head_ = register_module("picture_head", torch::nn::Linear(2 * d, options.embedding));
  text_head_ = register_module("text_head", torch::nn::Linear(d, options.embedding));
  match_head_ = register_module("match_head", torch::nn::Linear(d, 1));
}

template <visual::Policy Visual, text::Policy Text, fusion::Policy Fusion>
at::Tensor Model<Visual, Text, Fusion>::picture_vector(const Tokens& visual) {
  // Attention pooling: each token says how much it matters.
  const auto score = pool_score_->forward(visual.values).squeeze(2).to(at::kFloat);
  const auto weight = score.masked_fill(~visual.mask, -1e9).softmax(1).unsqueeze(2);
  const auto pooled = (visual.values * weight).sum(1);
  return nn::unit(picture_head_->forward(drop(at::gelu(picture_hidden_->forward(pooled)))));
}

}  // namespace rc3
