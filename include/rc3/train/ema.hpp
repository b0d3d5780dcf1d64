#pragma once
/// Exponential moving average of the weights, which often generalises better than the final ones.

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/state.hpp"

namespace rc3::train {

/// average = decay average + (1 - decay) weights, after each step; buffers are copied. Source: Polyak and Juditsky
/// 1992.
class Ema {
 public:
  /// @param decay  in [0, 1); the first steps use min(decay, (1 + n) / (10 + n)), so that the initial weights fade
  /// @throws rc3::Error for a decay out of range
  Ema(const torch::nn::Module& module, double decay) : decay_(decay), weights_(nn::named_state(module)) {
    require(decay >= 0 && decay < 1, "train::Ema: decay must be in [0, 1), is ", decay);
    for (const auto& [name, tensor] : weights_) average_.emplace(name, tensor.detach().clone());
  }

  /// @param steps  completed before this one, >= 0
  void update(std::int64_t steps) {
    c10::NoGradGuard no_grad;
    const auto n = static_cast<double>(steps);
    const double decay = std::min(decay_, (1 + n) / (10 + n));
    for (auto& [name, average] : average_) {
      const at::Tensor& now = weights_.at(name);
      if (now.is_floating_point() && now.requires_grad())
        average.lerp_(now.detach(), 1 - decay);
      else
        average.copy_(now.detach());
    }
  }

  /// Averages by name: parameters and buffers. The next update() changes these tensors.
  const std::map<std::string, at::Tensor>& state() const { return average_; }

  /// Scope guard: the module has the averaged weights.
  class Applied {
   public:
    /// Exchanges average and weights, and back at the end: no update() in between.
    explicit Applied(Ema& ema) : ema_(ema) { ema_.swap(); }
    ~Applied() { ema_.swap(); }
    Applied(const Applied&) = delete;
    Applied& operator=(const Applied&) = delete;

   private:
    Ema& ema_;
  };

 private:
  void swap() {
    c10::NoGradGuard no_grad;
    for (auto& [name, average] : average_) {
      auto& weight = weights_.at(name);
      const auto kept = weight.detach().clone();
      weight.copy_(average);
      average.copy_(kept);
    }
  }

  double decay_;
  std::map<std::string, at::Tensor> weights_, average_;
};

}  // namespace rc3::train
