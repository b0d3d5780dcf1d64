#pragma once
/// Order of hits by a second score. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::search {

/// The first @p count of @p hits, best first, by `score` plus `match`; then the others as they are. A hit of the first
/// whose match is NaN is left out: its image cannot be read any more.
/// @tparam H      with members float score and float match
/// @param count   >= 0; may exceed the number of hits
/// @param match   called as match(first hits); returns their probabilities, by position
/// @throws rc3::Error for a negative count, or another number of probabilities than hits
template <class H, class Match>
std::vector<H> rerank(std::vector<H> hits, std::int64_t count, const Match& match) {
  require(count >= 0, "search::rerank: the number of hits must be >= 0, is ", count);
  const auto n = static_cast<std::size_t>(std::min(count, std::ssize(hits)));
  if (n == 0) return hits;
  const std::vector<float> found = match(std::span<const H>(hits).first(n));
  require(found.size() == n, "search::rerank: ", found.size(), " probabilities for ", n, " hits");
  std::vector<H> ordered;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(found[i])) continue;
    ordered.push_back(std::move(hits[i]));
    ordered.back().match = found[i];
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const H& a, const H& b) { return a.score + a.match > b.score + b.match; });
  std::move(hits.begin() + static_cast<std::ptrdiff_t>(n), hits.end(), std::back_inserter(ordered));
  return ordered;
}

}  // namespace rc3::search
