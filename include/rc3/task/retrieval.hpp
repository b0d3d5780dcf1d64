#pragma once
/// Image-text retrieval: recall@K.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>

#include <algorithm>
#include <array>
#include <limits>

#include "rc3/core/check.hpp"

namespace rc3::task {

/// Share of queries whose target is among the first K found, each in [0, 1].
struct Recall {
  double at1 = 0, at5 = 0, at10 = 0;
};

/// The place of each query's target among the candidates, 1 the best. Ties count against the query: a candidate with
/// the very score of the target stands before it, so that a model that says the same of everything gets nothing.
/// @param scores   float [Q, C], higher is better
/// @param targets  int64 [Q], in 0 .. C-1
/// @return int64 [Q], in 1 .. C
inline at::Tensor ranks(const at::Tensor& scores, const at::Tensor& targets) {
  check_shape("task::ranks", "scores", scores, {{'Q'}, {'C'}});
  check_shape("task::ranks", "targets", targets, {{'Q', scores.size(0)}});
  require(!scores.isnan().any().item<bool>(), "task::ranks: a score is not a number");
  return (scores >= scores.gather(1, targets.to(scores.device()).unsqueeze(1))).sum(1);
}

/// The place of the best of each image's own texts among all texts, 1 the best; ties with others' texts count against
/// it. Images without a text are left out.
/// @param scores  float [I, T], higher is better
/// @param owner   int64 [T], the image of each text, in 0 .. I-1
/// @return int64 [images with a text], in 1 .. T
inline at::Tensor ranks_of_any(const at::Tensor& scores, const at::Tensor& owner) {
  check_shape("task::ranks_of_any", "scores", scores, {{'I'}, {'T'}});
  check_shape("task::ranks_of_any", "owner", owner, {{'T', scores.size(1)}});
  require(!scores.isnan().any().item<bool>(), "task::ranks_of_any: a score is not a number");
  const auto own = at::arange(scores.size(0), scores.device()).unsqueeze(1) == owner.to(scores.device()).unsqueeze(0);
  const auto best = scores.masked_fill(~own, -std::numeric_limits<double>::infinity()).amax(1, true);  // [I, 1]
  const auto before = (scores >= best).logical_and(~own).sum(1) + 1;
  return before.index_select(0, own.any(1).nonzero().squeeze(1));
}

/// @param ranks  int64 [Q], >= 1
inline Recall recall(const at::Tensor& ranks) {
  const auto within = [&](std::int64_t k) { return (ranks <= k).to(at::kDouble).mean().item<double>(); };
  require(ranks.numel() > 0, "task::recall: no queries");
  return {within(1), within(5), within(10)};
}

/// What guessing gives among @p candidates.
inline Recall chance(std::int64_t candidates) {
  const auto k = [&](double n) { return std::min(1.0, n / static_cast<double>(candidates)); };
  return {k(1), k(5), k(10)};
}

}  // namespace rc3::task
