#pragma once
/// Which parameters do not learn, by their names.

#include <fnmatch.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::train {

/// Whether @p name fits @p pattern, as a shell matches: * stands for any characters, none too.
inline bool fits(const std::string& name, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

/// Stops the learning of the parameters that fit a pattern. Call it before the optimizer is made.
/// @throws rc3::Error for a pattern that fits none: a name that was mistyped would be learned without a word
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

}  // namespace rc3::train
