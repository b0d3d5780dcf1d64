#pragma once
/// Accuracy, its baseline and its standard error.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <ranges>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::metric {

/// List of labels: std::vector or std::span of std::int64_t, std::string or another comparable, sortable type.
template <class T>
concept Labels = std::ranges::random_access_range<T> && std::ranges::sized_range<T> &&
    std::totally_ordered<std::ranges::range_value_t<T>>;

/// Lists with one type of label.
template <class A, class B>
concept SameLabels =
    Labels<A> && Labels<B> && std::same_as<std::ranges::range_value_t<A>, std::ranges::range_value_t<B>>;

namespace detail {

template <class A, class B>
void check_labels(std::string_view metric, const A& predicted, const B& gold) {
  require(std::ranges::size(predicted) == std::ranges::size(gold), metric, ": ", std::ranges::size(predicted),
          " predictions for ", std::ranges::size(gold), " gold labels");
  require(!std::ranges::empty(gold), metric, ": there is no label; a share needs one");
}

}  // namespace detail

/// Share of @p predicted equal to @p gold at the same index.
/// @return 0 .. 1
/// @throws rc3::Error if their lengths differ or they are empty
template <class A, class B>
requires SameLabels<A, B>
double accuracy(const A& predicted, const B& gold) {
  detail::check_labels("metric::accuracy", predicted, gold);
  std::size_t right = 0;
  const auto size = std::ranges::ssize(gold);
  for (std::ptrdiff_t i = 0; i < size; ++i) right += std::ranges::begin(predicted)[i] == std::ranges::begin(gold)[i];
  return static_cast<double>(right) / static_cast<double>(size);
}

/// Share of groups with correct predictions only: the consistency of MaRVL and NLVR2, where a group is the images of
/// one statement (Suhr et al. 2019, "A Corpus for Reasoning about Natural Language Grounded in Photographs").
/// @param groups  group of each prediction: a statement's number or text
/// @return 0 .. 1; each group counts once, at any size
/// @throws rc3::Error if the lengths of the three differ or they are empty
template <class A, class B, Labels Groups>
requires SameLabels<A, B>
double consistency(const A& predicted, const B& gold, const Groups& groups) {
  detail::check_labels("metric::consistency", predicted, gold);
  require(std::ranges::size(groups) == std::ranges::size(gold), "metric::consistency: ", std::ranges::size(groups),
          " groups for ", std::ranges::size(gold), " gold labels");
  std::map<std::ranges::range_value_t<Groups>, bool> all_right;
  const auto size = std::ranges::ssize(gold);
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    bool& right = all_right.try_emplace(std::ranges::begin(groups)[i], true).first->second;
    right = right && std::ranges::begin(predicted)[i] == std::ranges::begin(gold)[i];
  }
  std::size_t right = 0;
  for (const auto& [group, whole] : all_right) right += whole;
  return static_cast<double>(right) / static_cast<double>(all_right.size());
}

/// Result of majority_baseline().
template <class Label>
struct MajorityBaseline {
  Label label;      ///< most frequent training label, the smallest of equally frequent ones
  double accuracy;  ///< 0 .. 1, of this label as the answer to every test question
};

/// Baseline without the question: the accuracy of the most frequent training label.
/// @throws rc3::Error if either is empty
template <class A, class B>
requires SameLabels<A, B> MajorityBaseline<std::ranges::range_value_t<A>> majority_baseline(const A& train,
                                                                                            const B& test) {
  require(!std::ranges::empty(train) && !std::ranges::empty(test),
          "metric::majority_baseline: needs labels of training and of test, not ", std::ranges::size(train), " and ",
          std::ranges::size(test));
  using Label = std::ranges::range_value_t<A>;
  const auto count = [](const auto& labels) {
    std::map<Label, std::int64_t> counts;
    for (const auto& label : labels) ++counts[label];
    return counts;
  };
  const std::map<Label, std::int64_t> known = count(train);
  auto most = known.begin();
  for (auto at = known.begin(); at != known.end(); ++at)
    if (at->second > most->second) most = at;
  const std::map<Label, std::int64_t> asked = count(test);
  const auto found = asked.find(most->first);
  const std::int64_t right = found == asked.end() ? 0 : found->second;
  return {most->first, static_cast<double>(right) / static_cast<double>(std::ranges::size(test))};
}

/// Standard error of a share of independent answers (binomial distribution): sqrt(p (1 - p) / n). Shares that differ by
/// less than about twice this are not distinguishable.
/// @param share  0 .. 1
/// @param count  answers, >= 1
/// @throws rc3::Error for a value out of its range
inline double standard_error(double share, std::int64_t count) {
  require(share >= 0 && share <= 1, "metric::standard_error: ", share, " is no share, which is from 0 to 1");
  require(count >= 1, "metric::standard_error: needs at least one answer, not ", count);
  return std::sqrt(share * (1 - share) / static_cast<double>(count));
}

}  // namespace rc3::metric
