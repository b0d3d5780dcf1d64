#pragma once
/// Predictions of a tuned head.

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rc3/core/nn/device.hpp"
#include "rc3/fusion/generate.hpp"
#include "rc3/task/ablation.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/cached_examples.hpp"
#include "rc3/task/vocabulary.hpp"

namespace rc3::task {

/// Calls @p visit(ExampleBatch) for all examples in order, in eval mode, with @p ablation applied, on the head's
/// device.
/// @param size  of a batch, > 0
template <class Head, class Visit>
void for_each_batch(Head& head, const CachedExamples& examples, Ablation ablation, std::int64_t size,
                    const Visit& visit) {
  c10::InferenceMode inference;
  const auto device = nn::device_of(head);
  const bool training = head.is_training();
  head.eval();
  const bool elsewhere = ablation == Ablation::shuffled;  // in the whole set, since a batch may have one image only
  for (std::int64_t begin = 0; begin < examples.size();) {
    const auto end = std::min(examples.size(), begin + size);
    std::vector<std::int64_t> index, seen;
    for (; begin < end; ++begin) {
      index.push_back(begin);
      seen.push_back(elsewhere ? examples.elsewhere(begin) : begin);
    }
    visit(ablate(examples.batch(index, seen), elsewhere ? Ablation::none : ablation).to(device));
  }
  head.train(training);
}

/// The class of each example. @tparam Head  a task::Classifier
template <class Head>
std::vector<std::int64_t> classify(Head& head, const CachedExamples& examples, Ablation ablation = Ablation::none,
                                   std::int64_t size = 64) {
  std::vector<std::int64_t> all;
  for_each_batch(head, examples, ablation, size, [&](const ExampleBatch& batch) {
    const auto best = head.logits(batch).argmax(1).cpu().contiguous();
    all.insert(all.end(), best.template data_ptr<std::int64_t>(),
               best.template data_ptr<std::int64_t>() + best.numel());
  });
  return all;
}

/// The text of each example in its target language. @tparam Head  a task::Translator
template <class Head>
std::vector<std::string> translate(Head& head, const CachedExamples& examples, const Vocabulary& vocabulary,
                                   Ablation ablation = Ablation::none, const fusion::GenerateOptions& options = {},
                                   std::int64_t size = 64) {
  std::vector<std::string> all;
  for_each_batch(head, examples, ablation, size, [&](const ExampleBatch& batch) {
    for (const auto& hypothesis : head.translate(batch, options)) all.push_back(vocabulary.decode(hypothesis.ids));
  });
  return all;
}

}  // namespace rc3::task
