#pragma once
/// Frozen parameters, selected by name.

#include <fnmatch.h>
#include <torch/nn/module.h>

#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::train {

/// Whether @p name matches the shell pattern @p pattern: * is any sequence of characters, also an empty one.
inline bool fits(const std::string& name, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

/// Freezes the parameters that match a pattern. Call it before the optimizer is constructed.
/// @throws rc3::Error for a pattern without a match: a mistyped name would otherwise be trained silently
inline void freeze(torch::nn::Module& module, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (auto& item : module.named_parameters())
      if (fits(item.key(), pattern)) {
        item.value().set_requires_grad(false);
        found = true;
      }
    require(found, "train::freeze: no parameter has a name that fits \"", pattern, "\"; the first is \"",
            module.named_parameters().is_empty() ? "" : module.named_parameters().front().key(), '"');
  }
}

/// Scope guard: restores at its end which parameters are trainable.
class TrainableGuard {
 public:
  explicit TrainableGuard(torch::nn::Module& module) {
    for (const auto& p : module.parameters()) trainable_.emplace_back(p, p.requires_grad());
  }
  ~TrainableGuard() {
    for (auto& [p, trainable] : trainable_) p.set_requires_grad(trainable);
  }
  TrainableGuard(const TrainableGuard&) = delete;
  TrainableGuard& operator=(const TrainableGuard&) = delete;

 private:
  std::vector<std::pair<at::Tensor, bool>> trainable_;
};

}  // namespace rc3::train
