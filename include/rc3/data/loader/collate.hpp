#pragma once
/// Collation of prepared samples into a Batch.

#include <ATen/ops/tensor.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/loader/prepare.hpp"
#include "rc3/data/loader/relevance_of.hpp"
#include "rc3/preprocess/collate_images.hpp"
#include "rc3/text/tokenize.hpp"

namespace rc3::data {

/// Pads texts and regions to the longest of the batch. Images::patch_mask excludes samples without an image;
/// Batch::relevance is NaN if unknown.
class CollateSamples {
 public:
  /// @param multiple  L is rounded up to a multiple of this, >= 1
  explicit CollateSamples(std::int64_t multiple = 1) : multiple_(multiple) {}

  /// @throws rc3::Error if images differ in size, or regions in their number of features
  Batch operator()(std::vector<PreparedSample> samples) const {
    require(!samples.empty(), "data::CollateSamples: no samples");
    Batch batch;
    batch.images = preprocess::collate_images(samples);
    std::vector<std::vector<std::int64_t>> a, b;
    std::vector<std::int64_t> strict, image_ids, a_ids, b_ids;
    std::vector<std::optional<float>> relevance;
    for (PreparedSample& s : samples) {
      a.push_back(std::move(s.a));
      b.push_back(std::move(s.b));
      strict.push_back(s.strict);
      image_ids.push_back(s.image_id);
      a_ids.push_back(s.caption_a_id);
      b_ids.push_back(s.caption_b_id);
      relevance.push_back(s.relevance);
    }
    batch.a = text::pad_batch(a, multiple_);
    batch.b = text::pad_batch(b, multiple_);
    batch.strict = at::tensor(strict, at::kLong).to(at::kBool);
    batch.relevance = relevance_of(relevance);
    batch.image_ids = at::tensor(image_ids, at::kLong);
    batch.caption_a_ids = at::tensor(a_ids, at::kLong);
    batch.caption_b_ids = at::tensor(b_ids, at::kLong);
    return batch;
  }

 private:
  std::int64_t multiple_;
};

}  // namespace rc3::data
