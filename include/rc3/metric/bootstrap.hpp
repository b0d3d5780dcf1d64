#pragma once
/// Uncertainty of a corpus score: its standard error, and what guessing would score. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"

namespace rc3::metric {

/// The standard error of a corpus score, by drawing as many sentences again and again. Source: Koehn 2004.
template <class Score>
double bootstrap_error(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
                       const Score& score) {
  constexpr int draws = 50;
  Random random(7);
  double sum = 0, squares = 0;
  for (int k = 0; k < draws; ++k) {
    std::vector<std::string> h, r;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
      const auto j = random.below(hypotheses.size());
      h.push_back(hypotheses[j]);
      r.push_back(references[j]);
    }
    const double value = score(h, r);
    sum += value / draws;
    squares += value * value / draws;
  }
  return std::sqrt(std::max(0.0, squares - sum * sum));
}

/// What guessing gives: the score of other captions' references, the mean over 20 ways at most to take others.
/// @param references  two or more
/// @throws rc3::Error for fewer than two references
template <class Score>
double score_of_others(const std::vector<std::string>& references, const Score& score) {
  require(references.size() > 1, "metric::score_of_others: two references or more are needed, got ", references.size());
  const auto ways = std::min<std::size_t>(20, references.size() - 1);
  double sum = 0;
  for (std::size_t k = 1; k <= ways; ++k) {
    auto others = references;
    const auto shift = k * (references.size() - 1) / ways;
    std::rotate(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shift), others.end());
    sum += score(others, references);
  }
  return sum / static_cast<double>(ways);
}

}  // namespace rc3::metric
