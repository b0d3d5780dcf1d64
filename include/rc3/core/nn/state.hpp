#pragma once
/// Parameters and buffers of a module, each once. Two policies may share a backbone, which LibTorch then lists twice.

#include <torch/nn/module.h>

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace rc3::nn {

/// Parameters and buffers by name. A tensor registered several times is listed under its first name.
inline std::map<std::string, at::Tensor> named_state(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> state;
  std::unordered_set<const void*> seen;
  const auto add = [&](const auto& items) {
    for (const auto& item : items)
      if (item.value().defined() && seen.insert(item.value().unsafeGetTensorImpl()).second)
        state.emplace(item.key(), item.value());
  };
  add(module.named_parameters());
  add(module.named_buffers());
  return state;
}

/// Number of trainable parameters, and of all.
struct ParameterCount {
  std::int64_t trainable = 0;  ///< with gradient
  std::int64_t total = 0;      ///< frozen ones included
};

/// Numbers, not tensors; a shared parameter counts once.
inline ParameterCount count_parameters(const torch::nn::Module& module) {
  ParameterCount count;
  std::unordered_set<const void*> seen;
  for (const auto& p : module.parameters()) {
    if (!seen.insert(p.unsafeGetTensorImpl()).second) continue;
    count.total += p.numel();
    if (p.requires_grad()) count.trainable += p.numel();
  }
  return count;
}

/// Freezes every parameter of @p module, or unfreezes it with @p frozen false.
inline void freeze(torch::nn::Module& module, bool frozen = true) {
  for (auto& p : module.parameters()) p.set_requires_grad(!frozen);
}

}  // namespace rc3::nn
