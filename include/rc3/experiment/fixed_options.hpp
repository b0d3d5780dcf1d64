#pragma once
/// Options that a resumed training cannot obey. LibTorch-free.

#include <string>
#include <vector>

namespace rc3::experiment {

/// Names of options, or of groups.
struct FixedOptions {
  std::vector<std::string> always;         ///< from the first step on
  std::vector<std::string> when_complete;  ///< once the stage has all of its steps
};

/// @param stage     name of the stage; empty for a training without stages
/// @param own_data  whether the stage has data of its own
inline FixedOptions fixed_options(const std::string& stage, bool own_data) {
  // No rule tells which of the variant's options are in the weights, so none may change, as with `init`.
  FixedOptions options{{"variant", "init", "seed", "validation.untrained"}, {}};
  const auto group = stage.empty() ? stage : stage + '.';
  for (const char* option : {"loader.seed", "loader.window", "loader.tokens"}) options.always.push_back(group + option);
  for (const char* option : {"train", "objectives", "pairing", "loader.batch"})
    options.when_complete.push_back(group + option);
  options.when_complete.push_back(own_data ? group + "data" : "data");
  return options;
}

}  // namespace rc3::experiment
