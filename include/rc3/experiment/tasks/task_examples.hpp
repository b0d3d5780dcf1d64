#pragma once
/// Examples of a downstream task, and the providers that make them. LibTorch-free.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/experiment/tasks/settings.hpp"

namespace rc3::experiment {

/// A task's examples: the source language to learn from and to choose the checkpoint on, any to be tested in.
struct TaskExamples {
  std::string task;
  data::AnyExamples train, validation;
  std::vector<data::AnyExamples> test;

  std::vector<std::string> classes = {};                     ///< of classification, in the order of their numbers
  std::int64_t images = 1;                                   ///< of a classified example
  std::function<std::string(const std::string&)> type = {};  ///< of a question, by its id; empty: all are of one
  /// So many groups of examples in a language, of what training may see; empty: there are no others.
  std::function<data::AnyExamples(const std::string& language, std::int64_t count)> few = {};

  std::vector<std::string> written = {};   ///< languages of translations
  std::vector<std::string> writable = {};  ///< texts whose pieces a decoder may write
};

/// What makes examples of tasks without files of them. `open` is called once for each task and seed.
struct TaskProvider {
  std::string name;
  std::function<TaskExamples(const TaskData&, const std::string& task, std::uint64_t seed)> open = {};
};

namespace detail {
inline std::vector<TaskProvider>& task_providers() {
  static std::vector<TaskProvider> all;
  return all;
}
}  // namespace detail

/// Adds a provider, which programs of tasks then know as task.provider. @throws rc3::Error for a name that is taken
inline void register_task_provider(TaskProvider provider) {
  for (const TaskProvider& other : detail::task_providers())
    require(other.name != provider.name, "experiment::register_task_provider: there is a provider ", provider.name,
            " already");
  detail::task_providers().push_back(std::move(provider));
}

/// The names of all providers, separated by commas; "none" where there is none.
inline std::string task_provider_names() {
  std::string names;
  for (const TaskProvider& provider : detail::task_providers()) names += (names.empty() ? "" : ", ") + provider.name;
  return names.empty() ? "none" : names;
}

/// @throws rc3::Error for a name that is not known, listing those that are
inline const TaskProvider& find_task_provider(const std::string& name) {
  for (const TaskProvider& provider : detail::task_providers())
    if (provider.name == name) return provider;
  fail("task.provider: there is no provider ", name, "; this program has: ", task_provider_names());
}

}  // namespace rc3::experiment
