#pragma once
/// Layer-wise learning-rate decay: lower rates for layers further below the top of their stack. LibTorch-free.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/train/options.hpp"

namespace rc3::train {

/// Finds the layer stacks from parameter names. Source: Howard and Ruder 2018; Clark et al. 2020.
class LayerRates {
 public:
  /// @param names  of all parameters, in the order of registration. In the module that holds a stack, parameters before
  ///               layer 0 are below it, and parameters after it above
  /// @param rules  AdamWOptions::layer_decay
  /// @throws rc3::Error for a rate outside (0, 1], or a rule that matches no stack
  LayerRates(const std::vector<std::string>& names, const std::vector<RateRule>& rules) : names_(names) {
    for (const RateRule& rule : rules) {
      require(rule.rate > 0 && rule.rate <= 1, "train::AdamW: layer_decay of \"", rule.part,
              "\" must be in (0, 1], is ", rule.rate);
      const auto before = stacks_.size();
      for (std::size_t i = 0; i < names.size(); ++i) add(names[i], i, rule);
      require(stacks_.size() > before, "train::AdamW: layer_decay: no stack of layers has a name that contains \"",
              rule.part, '"');
    }
  }

  /// Factor in (0, 1]; 1 for parameters outside all stacks.
  double rate(const std::string& name) const {
    for (const Stack& s : stacks_) {
      if (!name.starts_with(s.owner)) continue;
      const auto [stack, layer] = place(name);
      if (stack == s.name) return std::pow(s.decay, static_cast<double>(s.layers - 1 - layer));
      const auto at = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
      return at < s.first ? std::pow(s.decay, static_cast<double>(s.layers)) : 1.0;
    }
    return 1.0;
  }

 private:
  struct Stack {
    std::string name, owner;  ///< "text.encoder.layers.", "text.encoder."
    double decay;
    std::size_t first;  ///< index of its first parameter among all
    int layers = 0;
  };

  /// A parameter's stack and layer; empty if it is in none.
  static std::pair<std::string_view, int> place(std::string_view name) {
    for (const std::string_view word : {"layers.", "blocks."}) {
      const auto at = name.find(word);
      if (at == std::string_view::npos || (at > 0 && name[at - 1] != '.')) continue;
      int layer = 0;
      auto digit = at + word.size();
      if (digit >= name.size() || std::isdigit(static_cast<unsigned char>(name[digit])) == 0) continue;
      for (; digit < name.size() && std::isdigit(static_cast<unsigned char>(name[digit])) != 0; ++digit)
        layer = 10 * layer + (name[digit] - '0');
      return {name.substr(0, at + word.size()), layer};
    }
    return {};
  }

  void add(const std::string& name, std::size_t index, const RateRule& rule) {
    const auto where = place(name);
    const std::string_view stack = where.first;
    if (stack.empty() || stack.find(rule.part) == std::string_view::npos) return;
    auto found = std::find_if(stacks_.begin(), stacks_.end(), [&](const Stack& s) { return s.name == stack; });
    if (found == stacks_.end()) {
      const std::string owner(stack.substr(0, stack.size() - 7));  // both "layers." and "blocks." have seven letters
      found = stacks_.insert(stacks_.end(), Stack{std::string(stack), owner, rule.rate, index});
    }
    if (found->decay == rule.rate) found->layers = std::max(found->layers, where.second + 1);
  }

  std::vector<std::string> names_;
  std::vector<Stack> stacks_;
};

}  // namespace rc3::train
