#pragma once
/// Which parameters do not learn, by their names.

#include <torch/nn/module.h>

#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::train {

/// Whether @p name fits @p pattern, in which * stands for any characters, none too.
inline bool fits(std::string_view name, std::string_view pattern) {
  std::size_t n = 0, p = 0, star = std::string_view::npos, after = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
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
