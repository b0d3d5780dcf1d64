#pragma once
/// Tensors of a module that training may change.

#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include "rc3/core/nn/state.hpp"
#include "rc3/core/state_dict.hpp"

namespace rc3::train {

/// Trainable parameters and all buffers. Frozen parameters, often most of a model, are excluded.
inline StateDict learned_state(const torch::nn::Module& module) {
  StateDict state = nn::named_state(module);
  for (const auto& parameter : module.named_parameters())
    if (!parameter.value().requires_grad()) state.erase(parameter.key());
  return state;
}

/// Deep copy of the tensors.
inline StateDict copy_of(const StateDict& state) {
  c10::NoGradGuard no_grad;
  StateDict copy;
  for (const auto& [name, tensor] : state) copy.emplace(name, tensor.detach().clone());
  return copy;
}

}  // namespace rc3::train
