#pragma once
/// Examples of a downstream task, and their providers. LibTorch-free.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/experiment/tasks/settings.hpp"

namespace rc3::experiment {

/// Examples of a task: training and validation in the source language, tests in any language.
struct TaskExamples {
  std::string task;                     ///< of task_names
  data::AnyExamples train, validation;  ///< in the source language
  std::vector<data::AnyExamples> test;  ///< one a language

  std::vector<std::string> classes = {};                     ///< for classification, in the order of their numbers
  std::int64_t images = 1;                                   ///< per classified example
  std::function<std::string(const std::string&)> type = {};  ///< type of a question, by its id; empty: one type
  /// `count` groups of training examples in a language; empty: not available.
  std::function<data::AnyExamples(const std::string& language, std::int64_t count)> few = {};

  std::vector<std::string> written = {};   ///< target languages of translation
  std::vector<std::string> writable = {};  ///< texts whose pieces form the decoder's vocabulary
};

/// Provider of task examples without files. `open` is called once for each task and seed.
struct TaskProvider {
  std::string name;  ///< value of task.provider
  std::function<TaskExamples(const TaskData&, const std::string& task, std::uint64_t seed)> open = {};
};

namespace detail {
inline std::vector<TaskProvider>& task_providers() {
  static std::vector<TaskProvider> all;
  return all;
}
}  // namespace detail

/// Registers a provider, then selectable as task.provider. @throws rc3::Error for a name in use
inline void register_task_provider(TaskProvider provider) {
  for (const TaskProvider& other : detail::task_providers())
    require(other.name != provider.name, "experiment::register_task_provider: there is a provider ", provider.name,
            " already");
  detail::task_providers().push_back(std::move(provider));
}

/// Names of all providers, separated by commas; "none" if there are none.
inline std::string task_provider_names() {
  std::string names;
  for (const TaskProvider& provider : detail::task_providers()) names += (names.empty() ? "" : ", ") + provider.name;
  return names.empty() ? "none" : names;
}

/// @throws rc3::Error for an unknown name, listing the known ones
inline const TaskProvider& find_task_provider(const std::string& name) {
  for (const TaskProvider& provider : detail::task_providers())
    if (provider.name == name) return provider;
  fail("task.provider: there is no provider ", name, "; this program has: ", task_provider_names());
}

}  // namespace rc3::experiment
