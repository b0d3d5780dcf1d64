#pragma once
/// Image-text retrieval: recall.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "rc3/core/check.hpp"

namespace rc3::task {

/// Share of queries with their target among the first K results, each in [0, 1].
struct Recall {
  double at1 = 0;   ///< K = 1
  double at5 = 0;   ///< K = 5
  double at10 = 0;  ///< K = 10
};

/// Rank of each query's target among the candidates, 1 the best. Ties count against the query: a candidate with the
/// target's score ranks before it, so that constant scores give the worst rank.
/// @param scores   float [Q, C], higher is better
/// @param targets  int64 [Q], in 0 .. C-1
/// @return int64 [Q], in 1 .. C
/// @throws rc3::Error for tensors of another shape, or a score that is NaN
inline at::Tensor ranks(const at::Tensor& scores, const at::Tensor& targets) {
  check_shape("task::ranks", "scores", scores, {{'Q'}, {'C'}});
  check_shape("task::ranks", "targets", targets, {{'Q', scores.size(0)}});
  require(!scores.isnan().any().item<bool>(), "task::ranks: a score is not a number");
  return (scores >= scores.gather(1, targets.to(scores.device()).unsqueeze(1))).sum(1);
}

/// Rank for queries with several correct candidates: that of the best one among the incorrect ones, 1 the best.
/// @param right  bool [Q, C], at least one true in each row
/// @return int64 [Q], in 1 .. C
/// @throws rc3::Error for tensors of another shape, a score that is NaN, or a query without a correct candidate
inline at::Tensor best_ranks(const at::Tensor& scores, const at::Tensor& right) {
  check_shape("task::best_ranks", "scores", scores, {{'Q'}, {'C'}});
  check_shape("task::best_ranks", "right", right, {{'Q', scores.size(0)}, {'C', scores.size(1)}});
  require(!scores.isnan().any().item<bool>(), "task::best_ranks: a score is not a number");
  require(right.any(1).all().item<bool>(), "task::best_ranks: a query has no right candidate");
  const auto wrong = ~right;
  const auto own = scores.masked_fill(wrong, -std::numeric_limits<double>::infinity()).amax(1, /*keepdim=*/true);
  return ((scores >= own) & wrong).sum(1) + 1;
}

/// @param ranks  int64 [Q], >= 1
/// @throws rc3::Error without a query
inline Recall recall(const at::Tensor& ranks) {
  const auto within = [&](std::int64_t k) { return (ranks <= k).to(at::kDouble).mean().item<double>(); };
  require(ranks.numel() > 0, "task::recall: no queries");
  return {within(1), within(5), within(10)};
}

/// Chance level among @p candidates.
/// @param candidates  > 0
inline Recall chance(std::int64_t candidates) {
  const auto k = [&](double n) { return std::min(1.0, n / static_cast<double>(candidates)); };
  return {k(1), k(5), k(10)};
}

/// Chance level for queries with several correct candidates: mean of 1 - C(n - m, k) / C(n, k) over queries with m
/// correct ones of n.
/// @param right  bool [Q, C], at least one true in each row
inline Recall chance(const at::Tensor& right) {
  check_shape("task::chance", "right", right, {{'Q'}, {'C'}});
  const auto n = static_cast<double>(right.size(1));
  const auto m = right.sum(1).to(at::kDouble);
  const auto within = [&](int k) {
    auto none = at::ones_like(m);  // probability that none of k distinct candidates is correct
    for (int i = 0; i < k && i < right.size(1); ++i) none = none * (n - m - i).clamp_min(0) / (n - i);
    return (1 - none).mean().item<double>();
  };
  return {within(1), within(5), within(10)};
}

}  // namespace rc3::task
