#pragma once
/// Scope guard for eval mode.

#include <torch/nn/module.h>

namespace rc3::nn {

/// Eval mode of a module until the end of the scope, also after an exception; then its previous mode.
class EvalMode {
 public:
  /// @param module  outlives this; all its parts get the mode of the module at the end
  explicit EvalMode(torch::nn::Module& module) : module_(module), training_(module.is_training()) { module_.eval(); }
  ~EvalMode() { module_.train(training_); }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
};

}  // namespace rc3::nn
