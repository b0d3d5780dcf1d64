#pragma once
/// Collation of prepared examples into an ExampleBatch.

#include <ATen/ops/tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/prepare.hpp"
#include "rc3/text/tokenize.hpp"

namespace rc3::task {

/// Pads texts, targets and regions to the longest of the batch.
struct CollateExamples {
  /// @throws rc3::Error for a mix of one and two images, or images of different sizes
  ExampleBatch operator()(const std::vector<PreparedExample>& examples) const {
    require(!examples.empty(), "task::CollateExamples: no examples");
    ExampleBatch batch;
    std::vector<const preprocess::PreparedImage*> left, right;
    std::vector<std::vector<std::int64_t>> texts, targets;
    std::vector<std::int64_t> labels, languages;
    for (const PreparedExample& e : examples) {
      require(e.images.size() == examples[0].images.size(), "task::CollateExamples: one image and two in one batch");
      left.push_back(&e.images.at(0));
      if (e.images.size() == 2) right.push_back(&e.images[1]);
      texts.push_back(e.text);
      labels.push_back(e.label);
      targets.push_back(e.target);
      languages.push_back(e.target_language);
    }
    batch.images = preprocess::collate_images(left);
    if (!right.empty()) batch.right = preprocess::collate_images(right);
    batch.texts = text::pad_batch(texts);
    if (examples[0].target_language < 0) {
      batch.labels = at::tensor(labels, at::kLong);
    } else {
      batch.targets = text::pad_batch(targets);
      batch.target_languages = at::tensor(languages, at::kLong);
    }
    return batch;
  }
};

}  // namespace rc3::task
