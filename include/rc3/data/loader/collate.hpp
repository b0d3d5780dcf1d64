#pragma once
/// From prepared samples to the Batch that objectives look at.

#include <ATen/ops/tensor.h>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/loader/prepare.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/text/tokenize.hpp"

namespace rc3::data {

/// Pads texts and regions to the longest of the batch. Samples without an image are outside Images::patch_mask.
/// Batch::relevance is NaN where the source does not know it. It is always defined, so that all ranks gather it.
class CollateSamples {
 public:
  /// @param multiple  L is rounded up to a multiple of this, >= 1
  explicit CollateSamples(std::int64_t multiple = 1) : multiple_(multiple) {}

  /// @throws rc3::Error when images differ in size, or regions in how many numbers they have
  Batch operator()(std::vector<PreparedSample> samples) const {
    require(!samples.empty(), "data::CollateSamples: no samples");
    Batch batch;
    batch.images = preprocess::collate_images(samples);
    std::vector<std::vector<std::int64_t>> a, b;
    std::vector<std::int64_t> strict, image_ids, a_ids, b_ids;
    std::vector<float> relevance;
    for (PreparedSample& s : samples) {
      a.push_back(std::move(s.a));
      b.push_back(std::move(s.b));
      strict.push_back(s.strict);
      image_ids.push_back(s.image_id);
      a_ids.push_back(s.caption_a_id);
      b_ids.push_back(s.caption_b_id);
      relevance.push_back(s.relevance.value_or(std::numeric_limits<float>::quiet_NaN()));
    }
    batch.a = text::pad_batch(a, multiple_);
    batch.b = text::pad_batch(b, multiple_);
    batch.strict = at::tensor(strict, at::kLong).to(at::kBool);
    batch.relevance = at::tensor(relevance, at::kFloat);
    batch.image_ids = at::tensor(image_ids, at::kLong);
    batch.caption_a_ids = at::tensor(a_ids, at::kLong);
    batch.caption_b_ids = at::tensor(b_ids, at::kLong);
    return batch;
  }

 private:
  std::int64_t multiple_;
};

}  // namespace rc3::data
