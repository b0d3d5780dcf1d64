#pragma once
/// Evaluation mode of a model during its training.

#include <torch/nn/module.h>

#include <optional>

#include "rc3/core/nn/eval_mode.hpp"
#include "rc3/train/ema.hpp"

namespace rc3::train {

/// Scope guard: the module is in eval mode, with the averaged weights if there are any. The destructor restores the
/// previous state, also after an exception.
class EvaluationMode {
 public:
  /// @param ema  of this module; null: no average
  explicit EvaluationMode(torch::nn::Module& module, Ema* ema = nullptr) : eval_(module) {
    if (ema != nullptr) averaged_.emplace(*ema);
  }

 private:
  nn::EvalMode eval_;
  std::optional<Ema::Applied> averaged_;
};

}  // namespace rc3::train
