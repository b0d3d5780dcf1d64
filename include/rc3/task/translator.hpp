#pragma once
/// Translation head: generates the translation of a text with the help of its image.

#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <vector>

#include "rc3/core/check.hpp"
#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/to_float32.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/fusion/decoder.hpp"
#include "rc3/fusion/generate.hpp"
#include "rc3/model/losses.hpp"
#include "rc3/objective/detail/fuse_tokens.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/vocabulary.hpp"

namespace rc3::task {

/// A decoder over fused image and text. loss = cross-entropy of each word after the language, with label smoothing.
/// Source: Vaswani et al. 2017; language words as in mBART (Liu et al. 2020).
/// @tparam Host  with the members of rc3::Model, and a fusion encoder with token states (fusion::FusesTokens)
template <class Host>
class Translator : public torch::nn::Module {
 public:
  using Batch = task::ExampleBatch;

  /// On the model's device, including the decoder.
  /// @param decoder          of the model's width, with Vocabulary::size() words
  /// @param label_smoothing  in [0, 1)
  /// @throws rc3::Error for label_smoothing out of range
  Translator(std::shared_ptr<Host> model, std::shared_ptr<fusion::Decoder> decoder, double label_smoothing = 0.1)
      : smoothing_(label_smoothing),
        model_(register_module("model", std::move(model))),
        decoder_(register_module("decoder", std::move(decoder))) {
    require(label_smoothing >= 0 && label_smoothing < 1, "task::Translator: label_smoothing must be in [0, 1), is ",
            label_smoothing);
    to(nn::device_of(*model_));
  }

  static std::string name() { return type_name<Translator>(); }
  static std::vector<std::string> objective_names() { return {"word"}; }

  /// @throws rc3::Error for a missing reference
  Losses losses(const Batch& batch) {
    const auto& targets = batch.targets;
    check_shape("task::Translator", "targets", targets.ids, {{'B', batch.size()}, {'T'}});
    require(targets.mask.any(1).all().template item<bool>(),
            "task::Translator: an example to learn from has no reference");
    const auto b = batch.size(), t = targets.ids.size(1);
    // Decoder input: end, language, first word, ...; the targets start with the word after the language.
    const auto read =
        at::cat({at::full({b, 1}, Vocabulary::end, targets.ids.options()), targets.ids.narrow(1, 0, t - 1)}, 1);
    const auto first = at::ones({b, 1}, targets.mask.options());
    const auto words = read.masked_fill(~at::cat({first, targets.mask.narrow(1, 0, t - 1)}, 1), 0);
    auto asked = targets.mask.clone();
    asked.select(1, 0).fill_(false);
    const auto places = asked.flatten().nonzero().squeeze(1);
    const auto states = decoder_->forward(words, memory(batch)).flatten(0, 1).index_select(0, places);
    const auto loss =
        at::cross_entropy_loss(nn::to_float32(decoder_->logits(states)), targets.ids.flatten().index_select(0, places),
                               {}, at::Reduction::Mean, -100, smoothing_);
    return {loss, {loss.template item<double>()}};
  }

  /// This rank's share of the mean over the ranks' losses.
  template <Communicator Comm>
  Losses losses(const Batch& batch, Comm& comm) {
    return share_of(losses(batch), comm);
  }

  /// Translations of each text into its target language. Call eval() before.
  /// @param options  `start`, `end` and `first` are overwritten
  /// @return words of the Vocabulary, the language first
  /// @throws rc3::Error without target_languages, int64 [B], or as fusion::generate
  std::vector<fusion::Hypothesis> translate(const Batch& batch, fusion::GenerateOptions options = {}) {
    c10::NoGradGuard no_grad;
    const auto all = memory(batch);
    options.start = options.end = Vocabulary::end;
    std::vector<fusion::Hypothesis> out(static_cast<std::size_t>(batch.size()));
    check_shape("task::Translator", "target_languages", batch.target_languages, {{'B', batch.size()}});
    const auto languages = batch.target_languages.cpu();
    for (auto left = at::full({batch.size()}, true); left.any().template item<bool>();) {  // one language at a time
      const auto language = languages[left.nonzero()[0].template item<std::int64_t>()].template item<std::int64_t>();
      const auto rows = (languages == language).nonzero().squeeze(1);
      left.index_fill_(0, rows, false);
      options.first = language;
      auto found = fusion::generate(*decoder_, all.select(rows.to(all.mask.device())), options);
      for (std::size_t i = 0; i < found.size(); ++i)
        out[static_cast<std::size_t>(rows[static_cast<std::int64_t>(i)].template item<std::int64_t>())] =
            std::move(found[i]);
    }
    return out;
  }

  const std::shared_ptr<Host>& model() const { return model_; }
  const std::shared_ptr<fusion::Decoder>& decoder() const { return decoder_; }

 private:
  Tokens memory(const Batch& batch) {
    const auto text = model_->text(batch.texts);
    return objective::detail::fuse_tokens(*model_, model_->visual(batch.images), text).memory();
  }

  double smoothing_;
  std::shared_ptr<Host> model_;
  std::shared_ptr<fusion::Decoder> decoder_;
};

/// Initialises the word embedding of a decoder from another one, rescaled to the size of the decoder's initial weights.
/// Pieces of similar meaning are then similar from the start.
/// @param decoder    with a separate embedding and the words of @p vocabulary
/// @param embedding  float [K, D], by the tokenizer's ids, for example text::Bert::word_embedding()
/// @throws rc3::Error if the widths, or the number of words, differ
inline void copy_words(fusion::Decoder& decoder, const Vocabulary& vocabulary, const at::Tensor& embedding) {
  c10::NoGradGuard no_grad;
  auto own = decoder.named_parameters()["embedding"];
  check_shape("task::copy_words", "embedding", embedding, {{'K'}, {'D', own.size(1)}});
  check_shape("task::copy_words", "decoder's embedding", own, {{'K', vocabulary.size()}, {'D'}});
  const auto rows = embedding.index_select(0, at::tensor(vocabulary.pieces(), at::kLong).to(embedding.device()));
  const auto centred = rows - rows.mean(0, true);
  own.narrow(0, vocabulary.first_piece(), rows.size(0)).copy_(centred * (0.02 / centred.std().template item<double>()));
}

}  // namespace rc3::task
