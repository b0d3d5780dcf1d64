#pragma once
/// Evaluation mode of a model during its training.

#include <torch/nn/module.h>

#include <optional>

#include "rc3/train/ema.hpp"

namespace rc3::train {

/// Scope guard: the module is in eval mode, with the averaged weights if there are any. The destructor restores the
/// previous state, also after an exception.
class EvaluationMode {
 public:
  /// @param ema  of this module; null: no average
  explicit EvaluationMode(torch::nn::Module& module, Ema* ema = nullptr)
      : module_(module), training_(module.is_training()) {
    if (ema != nullptr) averaged_.emplace(*ema);
    module_.eval();
  }
  ~EvaluationMode() { module_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
  std::optional<Ema::Applied> averaged_;
};

}  // namespace rc3::train
