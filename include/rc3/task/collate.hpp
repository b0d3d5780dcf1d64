#pragma once
/// From prepared examples to the Batch that a task's head looks at.

#include <ATen/ops/tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/collate_pictures.hpp"
#include "rc3/task/batch.hpp"
#include "rc3/task/prepare.hpp"
#include "rc3/text/tokenize.hpp"

namespace rc3::task {

/// Pads texts, targets and regions to the longest of the batch.
struct Collate {
  /// @throws rc3::Error when some have one picture and others two, or pictures differ in size
  Batch operator()(const std::vector<Prepared>& examples) const {
    require(!examples.empty(), "task::Collate: no examples");
    Batch batch;
    std::vector<const data::PreparedPicture*> left, right;
    std::vector<std::vector<std::int64_t>> texts, targets;
    std::vector<std::int64_t> labels, languages;
    for (const Prepared& e : examples) {
      require(e.pictures.size() == examples[0].pictures.size(), "task::Collate: one picture and two in one batch");
      left.push_back(&e.pictures.at(0));
      if (e.pictures.size() == 2) right.push_back(&e.pictures[1]);
      texts.push_back(e.text);
      labels.push_back(e.label);
      targets.push_back(e.target);
      languages.push_back(e.target_language);
    }
    batch.pictures = data::collate_pictures(left);
    if (!right.empty()) batch.right = data::collate_pictures(right);
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
