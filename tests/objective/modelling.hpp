#pragma once
/// A small model of regions and words, and a batch, for the objectives that mask.

#include <cmath>
#include <memory>

#include "rc3/fusion/single_stream.hpp"
#include "rc3/model/model.hpp"
#include "rc3/objective/detail/masking.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/roi.hpp"
#include "support/tensors.hpp"

namespace rc3::test::modelling {

using objective::ForwardCache;
using objective::MaskOptions;
using Model = rc3::Model<rc3::visual::Roi, rc3::text::Bert>;

inline const MaskOptions masks{.fraction = 0.3, .mask = 19, .vocabulary = 20, .seed = 3};

inline std::shared_ptr<Model> model() {
  torch::manual_seed(1);
  const auto made = std::make_shared<Model>(
      std::make_shared<rc3::visual::Roi>(rc3::visual::RegionEmbeddingOptions{.features = 4, .width = 8}),
      std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
          .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
      std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1}));
  made->to(at::kDouble);
  made->eval();
  return made;
}

inline Batch batch(std::int64_t n = 3) {
  torch::manual_seed(2);
  Batch b;
  b.images.regions = at::randn({n, 3, 4}, at::kDouble);
  b.images.boxes = at::tensor({0.0, 0.0, 8.0, 8.0}, at::kDouble).expand({n, 3, 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.0, at::kDouble);
  b.images.region_mask = at::ones({n, 3}, at::kBool);
  b.images.region_mask[0][2] = false;
  auto ids = at::randint(4, 19, {n, 6}, at::kLong);
  ids.select(1, 0).fill_(0);  // <s>
  ids.select(1, 5).fill_(2);  // </s>
  b.a = {ids, at::ones({n, 6}, at::kBool), {}};
  b.a.ids[0].narrow(0, 4, 2).fill_(1);
  b.a.mask[0].narrow(0, 4, 2).fill_(false);
  b.b = b.a;
  b.image_ids = at::arange(n);
  return b;
}

template <class Objective>
std::shared_ptr<Objective> in_double(std::shared_ptr<Objective> objective) {
  objective->to(at::kDouble);
  objective->eval();
  return objective;
}

template <class Objective>
at::Tensor loss_of(Objective& objective, Model& m, const Batch& b) {
  ForwardCache<Model> forward(m, b);
  return objective.loss(forward);
}

/// Mean of -log p of the targets, as loops.
inline double cross_entropy_by_hand(const at::Tensor& logits, const at::Tensor& targets) {
  const auto rows = matrix_of(logits);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double all = 0;
    for (const double l : rows[i]) all += std::exp(l);
    sum +=
        std::log(all) - rows[i][static_cast<std::size_t>(targets[static_cast<std::int64_t>(i)].item<std::int64_t>())];
  }
  return sum / static_cast<double>(rows.size());
}

}  // namespace rc3::test::modelling
