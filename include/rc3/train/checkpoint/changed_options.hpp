#pragma once
/// Options that differ between a checkpoint and the program that resumes it. LibTorch-free.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"

namespace rc3::train {

/// An option whose value differs from that of a checkpoint.
struct ChangedOption {
  std::string name;    ///< with its groups: "train.optimizer.learning_rate"
  std::string before;  ///< JSON
  std::string now;     ///< JSON
};

/// Options of both configurations that have another value, by name. An option that one of them lacks is of another
/// version of the program and does not count.
inline std::vector<ChangedOption> changed_options(const nlohmann::json& before, const nlohmann::json& now,
                                                  const std::string& group = {}) {
  std::vector<ChangedOption> all;
  if (!before.is_object() || !now.is_object()) return all;
  for (const auto& [key, value] : now.items()) {
    const auto old = before.find(key);
    if (old == before.end() || *old == value) continue;
    const auto name = group.empty() ? key : group + '.' + key;
    if (old->is_object() && value.is_object() && !old->empty() && !value.empty()) {
      const auto inner = changed_options(*old, value, name);
      all.insert(all.end(), inner.begin(), inner.end());
      continue;
    }
    all.push_back({name, old->dump(), value.dump()});
  }
  return all;
}

/// Whether @p name is one of @p options, or in one of those groups.
inline bool is_in(std::string_view name, const std::vector<std::string>& options) {
  return std::any_of(options.begin(), options.end(), [&](const std::string& option) {
    return name.starts_with(option) && (name.size() == option.size() || name[option.size()] == '.');
  });
}

/// "seed 1, is now 2; init ...".
inline std::string in_words(const std::vector<ChangedOption>& options) {
  std::string all;
  for (const auto& option : options)
    all += join(all.empty() ? "" : "; ", option.name, " was ", option.before, ", is now ", option.now);
  return all;
}

}  // namespace rc3::train
