#pragma once
/// False negatives: samples of a batch that may not be each other's negatives.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

#include <utility>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"

namespace rc3::objective {

/// Samples with the same image, or an equal caption on any side, are no negatives: the loss would push apart inputs
/// that belong together.
/// @param batch   image_ids, caption_a_ids and caption_b_ids int64 [B], each may be undefined (then all differ)
/// @param others  candidate samples (columns): the same members, for M samples
/// @return bool [B, M], true where column j is a true negative of row i
inline at::Tensor true_negatives(const Batch& batch, const Batch& others) {
  const auto n = batch.size(), m = others.size();
  auto allowed = at::ones({n, m}, at::TensorOptions(batch.device()).dtype(at::kBool));
  const auto forbid_equal = [&](const at::Tensor& x, const at::Tensor& y) {
    if (!x.defined() || !y.defined()) return;
    allowed = allowed & (x.unsqueeze(1) != y.unsqueeze(0));
  };
  forbid_equal(batch.image_ids, others.image_ids);
  forbid_equal(batch.caption_a_ids, others.caption_a_ids);
  forbid_equal(batch.caption_b_ids, others.caption_b_ids);
  forbid_equal(batch.caption_a_ids, others.caption_b_ids);
  forbid_equal(batch.caption_b_ids, others.caption_a_ids);
  return allowed;
}

/// True negatives of the samples @p begin to @p end of a batch (rows) among all of it (columns).
/// @param batch  ids int64 [B], each may be undefined
/// @return bool [end - begin, B]
/// @throws rc3::Error for ids of another shape
inline at::Tensor true_negatives(const Batch& batch, std::int64_t begin, std::int64_t end) {
  for (const auto& [name, ids] :
       {std::pair{"image_ids", batch.image_ids}, std::pair{"caption_a_ids", batch.caption_a_ids},
        std::pair{"caption_b_ids", batch.caption_b_ids}})
    if (ids.defined()) check_shape("objective", name, ids, {{'B', batch.size()}});
  const auto rows = at::arange(begin, end, batch.device());
  auto allowed = true_negatives(batch.ids().select(rows), batch);
  allowed.scatter_(1, rows.unsqueeze(1), false);
  return allowed;
}

/// @return bool [B, B], symmetric, false on the diagonal
inline at::Tensor true_negatives(const Batch& batch) { return true_negatives(batch, 0, batch.size()); }

}  // namespace rc3::objective
