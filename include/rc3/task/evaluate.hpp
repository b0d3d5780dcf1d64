#pragma once
/// Scores by language from a head's predictions.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/task/ablation.hpp"
#include "rc3/task/predict.hpp"
#include "rc3/task/results.hpp"

namespace rc3::task {

/// Baselines without a model, percent.
struct Baselines {
  double random = 0;    ///< uniform guessing among the answers
  double majority = 0;  ///< the most frequent answer of the training examples
};

/// Baselines on @p examples, from the answers of the training examples.
/// @param kind  type of question of an example's id, for sets of types with different answers (a count is never "yes");
///              both baselines then use the answers of the type. Empty: one type
/// @throws rc3::Error for an example without an answer
inline Baselines baselines(const CachedExamples& training, const CachedExamples& examples,
                           const std::function<std::string(const std::string& id)>& kind = {}) {
  const auto of = [&](const CachedExamples& all, std::int64_t i) {
    return kind ? kind(all.example(i).id) : std::string();
  };
  std::map<std::string, std::map<std::int64_t, std::int64_t>> counts;
  for (std::int64_t i = 0; i < training.size(); ++i) ++counts[of(training, i)][training.label(i)];
  Baselines sum;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    require(examples.label(i) >= 0, "task::baselines: ", examples.example(i).id, " has no answer");
    const auto found = counts.find(of(examples, i));
    if (found == counts.end()) continue;  // a type without training examples has no known answers
    const auto& answers = found->second;
    const auto most = std::max_element(answers.begin(), answers.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    sum.random += answers.contains(examples.label(i)) ? 1.0 / static_cast<double>(answers.size()) : 0;
    sum.majority += most->first == examples.label(i);
  }
  const auto percent = 100 / static_cast<double>(examples.size());
  return {sum.random * percent, sum.majority * percent};
}

/// Accuracy in each language, in the order of the examples.
/// @param predicted  a class for each example
/// @return percent, in [0, 100]
/// @throws rc3::Error for another number of answers, or an example without its own
inline std::vector<Score> accuracy_by_language(std::string task, const CachedExamples& examples,
                                               const std::vector<std::int64_t>& predicted, Ablation ablation,
                                               const Baselines& baselines) {
  require(std::ssize(predicted) == examples.size(), "task::accuracy_by_language: ", predicted.size(), " answers for ",
          examples.size(), " examples");
  std::vector<std::string> order;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> right;  // correct ones and total
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    require(examples.label(i) >= 0, "task::accuracy_by_language: ", examples.example(i).id, " has no answer");
    const auto& language = examples.example(i).language;
    if (!right.contains(language)) order.push_back(language);
    auto& [good, all] = right[language];
    good += predicted[static_cast<std::size_t>(i)] == examples.label(i);
    ++all;
  }
  std::vector<Score> scores;
  for (const auto& language : order) {
    const auto& [good, all] = right[language];
    const double value = 100 * static_cast<double>(good) / static_cast<double>(all);
    scores.push_back({task, "accuracy", std::string(name_of(ablation)), language, value, binomial_error(value, all),
                      all, baselines.random, baselines.majority});
  }
  return scores;
}

}  // namespace rc3::task
