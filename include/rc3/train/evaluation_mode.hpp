#pragma once
/// A model as it is evaluated in the middle of its training.

#include <torch/nn/module.h>

#include <optional>

#include "rc3/train/ema.hpp"

namespace rc3::train {

/// While it lives the module is in eval mode, with the average for its weights where one is kept; afterwards, behind an
/// exception too, it is as it was.
class EvaluationMode {
 public:
  /// @param ema  of this module; null: none is kept
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
