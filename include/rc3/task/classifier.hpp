#pragma once
/// Classification head: entailment, question answering, reasoning over two images.

#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/rand.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "rc3/core/check.hpp"
#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/dropout.hpp"
#include "rc3/core/nn/to_float32.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/model/losses.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/late_interaction.hpp"

namespace rc3::task {

/// Sizes and parts of a Classifier.
struct ClassifierOptions {
  std::int64_t classes = 2;  ///< above 1
  std::int64_t images = 1;   ///< per example, 1 or 2
  double dropout = 0.1;      ///< before the last layers, in training, probability in [0, 1)
  /// Whether the head also gets the text embedding t, its product p * t with each image embedding p, and
  /// LateInteraction. t identifies the type of question. The products contain the alignment of images and languages
  /// from pre-training, which also covers languages that tuning lacks. LateInteraction needs tokens with embeddings
  /// (fusion::LateInteractionFusion).
  bool embeddings = true;
  /// Probability in training that an example is answered from LateInteraction alone, in [0, 1). z and p * t depend on
  /// the objects of tuning; LateInteraction does not identify objects. No effect if tokens have no embeddings.
  double leave_out = 0.5;
};

/// logits = W2 LayerNorm(GELU(W1 x)) + V2 GELU(V1 m). Here x is z, or [z_left; z_right] for two images, followed by
/// p * t of each and t; m is LateInteraction. Source: VOLTA (Bugliarello et al. 2021) for the head on z; t, p * t and m
/// are this library's.
/// @tparam Host  with the members of rc3::Model
template <class Host>
class Classifier : public torch::nn::Module {
 public:
  using Batch = task::ExampleBatch;

  /// On the model's device. @throws rc3::Error for options out of range
  Classifier(std::shared_ptr<Host> model, ClassifierOptions options)
      : options_(options), model_(register_module("model", std::move(model))) {
    require(options.classes > 1, "task::Classifier: classes must be above 1, are ", options.classes);
    require(options.images == 1 || options.images == 2, "task::Classifier: images must be 1 or 2, are ",
            options.images);
    const auto d = model_->width();
    require(0 <= options.leave_out && options.leave_out < 1, "task::Classifier: leave_out must be in [0, 1), is ",
            options.leave_out);
    auto in = options.images * d;
    if (options.embeddings) in += (options.images + 1) * model_->options().embedding;
    hidden_ = register_module("hidden", torch::nn::Linear(in, 2 * d));
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({2 * d})));
    out_ = register_module("out", torch::nn::Linear(2 * d, options.classes));
    if (options.embeddings) {
      interaction_hidden_ = register_module(
          "interaction_hidden", torch::nn::Linear(LateInteraction::width(options.images), interaction_width));
      interaction_out_ = register_module("interaction_out", torch::nn::Linear(interaction_width, options.classes));
    }
    to(nn::device_of(*model_));
  }

  static std::string name() { return type_name<Classifier>(); }
  static std::vector<std::string> objective_names() { return {"answer"}; }

  /// @return float [B, classes]
  /// @throws rc3::Error if the number of images per example differs from the head's
  at::Tensor logits(const Batch& batch) {
    require(batch.pairs() == (options_.images == 2), "task::Classifier: made for ", options_.images,
            " images a question, the batch has ", batch.pairs() ? 2 : 1);
    const auto text = model_->text(batch.texts);
    const auto text_embedding = options_.embeddings ? model_->text_embedding(text) : at::Tensor();
    std::vector<at::Tensor> seen;
    std::vector<Tokens> images;
    for (const Images* side : {&batch.images, &batch.right}) {
      if (side == &batch.right && !batch.pairs()) break;
      const auto visual = model_->visual(*side);
      seen.push_back(model_->fuse(visual, text));
      if (options_.embeddings) seen.push_back(model_->image_embedding(visual) * text_embedding * scale());
      images.push_back(visual);
    }
    if (options_.embeddings) seen.push_back(text_embedding * std::sqrt(scale()));
    auto x = norm_->forward(at::gelu(hidden_->forward(at::cat(seen, 1))));
    x = out_->forward(nn::dropout(x, options_.dropout, is_training()));
    if (!options_.embeddings) return x;
    const auto met = interaction_hidden_->forward(LateInteraction::features(images, text, text_embedding));
    const auto by_interaction = interaction_out_->forward(nn::dropout(at::gelu(met), options_.dropout, is_training()));
    if (is_training() && LateInteraction::available(images, text))
      x = x * at::rand({x.size(0), 1}, x.options()).ge(options_.leave_out);
    return x + by_interaction;
  }

  /// Cross-entropy. @throws rc3::Error for an unknown answer
  Losses losses(const Batch& batch) {
    check_shape("task::Classifier", "labels", batch.labels, {{'B', batch.size()}});
    require(batch.labels.ge(0).all().template item<bool>(), "task::Classifier: an example to learn from has no answer");
    const auto loss = at::cross_entropy_loss(nn::to_float32(logits(batch)), batch.labels);
    return {loss, {loss.template item<double>()}};
  }

  /// This rank's share of the mean over all ranks' examples.
  template <Communicator Comm>
  Losses losses(const Batch& batch, Comm& comm) {
    return share_of(losses(batch), comm);
  }

  const std::shared_ptr<Host>& model() const { return model_; }
  const ClassifierOptions& options() const { return options_; }

 private:
  /// Factor of products of unit-norm embeddings, which are small: scales them like z, a LayerNorm's output. Its square
  /// root is the factor of the embeddings.
  double scale() const { return static_cast<double>(model_->options().embedding); }

  static constexpr std::int64_t interaction_width = 64;

  ClassifierOptions options_;
  std::shared_ptr<Host> model_;
  torch::nn::Linear hidden_{nullptr}, out_{nullptr}, interaction_hidden_{nullptr}, interaction_out_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace rc3::task
