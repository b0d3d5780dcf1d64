#pragma once
/// Which samples of a batch may serve as each other's negatives.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"

namespace rc3::objective {

/// Samples of the same picture, or with an equal caption on any side, are no negatives: pushing them apart would teach
/// the model that what is right is wrong.
/// @param batch  picture_ids, caption_a_ids and caption_b_ids int64 [B], each may be undefined (then all differ)
/// @return bool [B, B], symmetric, false on the diagonal
inline at::Tensor true_negatives(const Batch& batch) {
  const auto n = batch.size();
  auto allowed = at::ones({n, n}, at::kBool);
  const auto forbid_equal = [&](const char* name, const at::Tensor& x, const at::Tensor& y) {
    if (!x.defined() || !y.defined()) return;
    check_shape("objective", name, x, {{'B', n}});
    check_shape("objective", name, y, {{'B', n}});
    const auto equal = x.unsqueeze(1) == y.unsqueeze(0);
    allowed = allowed & ~(equal | equal.t());
  };
  forbid_equal("picture_ids", batch.picture_ids, batch.picture_ids);
  forbid_equal("caption_a_ids", batch.caption_a_ids, batch.caption_a_ids);
  forbid_equal("caption_b_ids", batch.caption_b_ids, batch.caption_b_ids);
  forbid_equal("caption ids", batch.caption_a_ids, batch.caption_b_ids);
  return allowed.fill_diagonal_(false);
}

}  // namespace rc3::objective
