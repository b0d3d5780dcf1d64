#pragma once
/// AdamW on groups of parameters, by LibTorch's fused kernel: one pass over the memory instead of a dozen.

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/train/layer_rates.hpp"
#include "rc3/train/options.hpp"

namespace rc3::train {

/// Source: Loshchilov and Hutter 2019.
class AdamW {
 public:
  /// Optimizes every trainable parameter of @p module; one registered twice counts once.
  /// @throws rc3::Error if no parameter is trainable; for a rule of layer_decay that LayerRates refuses
  AdamW(const torch::nn::Module& module, AdamWOptions options) : options_(std::move(options)) {
    std::vector<std::pair<std::string, at::Tensor>> learning;
    std::vector<std::string> names;
    std::unordered_set<const void*> seen;
    for (const auto& item : module.named_parameters()) {
      names.push_back(item.key());
      if (item.value().requires_grad() && seen.insert(item.value().unsafeGetTensorImpl()).second)
        learning.emplace_back(item.key(), item.value());
    }
    require(!learning.empty(), "train::AdamW: no parameter of the module learns");
    const LayerRates layers(names, options_.layer_decay);
    for (const auto& [name, p] : learning) {
      auto& g = group(rate_of(name) * layers.rate(name), p.dim() > 1 ? options_.weight_decay : 0.0);
      g.names.push_back(name);
      g.parameters.push_back(p);
      g.first.push_back(at::zeros_like(p));
      g.second.push_back(at::zeros_like(p));
      g.steps.push_back(at::zeros({}, p.options().dtype(at::kFloat)));
    }
  }

  /// One update. Parameters without a gradient in this step stay unchanged.
  /// @param factor  of the learning rate, from the schedule, >= 0
  /// @return gradient norm before clipping; if not finite, the parameters are unchanged
  double step(double factor) {
    c10::NoGradGuard no_grad;
    const double norm = gradient_norm();
    if (std::isfinite(norm)) {
      const auto where = groups_.front().steps.front().options();  // the kernel reads it on the parameters' device
      const auto shrink = norm > options_.clip ? at::full({}, norm / options_.clip, where) : at::Tensor();
      for (auto& g : groups_) update(g, factor, shrink);
    }
    zero_grad();
    return norm;
  }

  /// Gradients become undefined, not zero: a parameter without a new one is skipped by the next step.
  void zero_grad() {
    for (auto& g : groups_)
      for (auto& p : g.parameters) p.mutable_grad() = at::Tensor();
  }

  /// The optimized parameters, in the order of the groups.
  std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all;
    for (const auto& g : groups_) all.insert(all.end(), g.parameters.begin(), g.parameters.end());
    return all;
  }

  /// Moments and step counts: "first.NAME", "second.NAME", "steps.NAME". The next step changes these tensors.
  /// @return moments of the shape and type of their parameters; steps are scalars, float
  std::map<std::string, at::Tensor> state() const {
    std::map<std::string, at::Tensor> all;
    for (const auto& g : groups_)
      for (std::size_t i = 0; i < g.names.size(); ++i) {
        all.emplace("first." + g.names[i], g.first[i]);
        all.emplace("second." + g.names[i], g.second[i]);
        all.emplace("steps." + g.names[i], g.steps[i]);
      }
    return all;
  }

 private:
  struct Group {
    double rate, decay;
    std::vector<std::string> names = {};
    std::vector<at::Tensor> parameters = {}, first = {}, second = {}, steps = {};
  };

  double rate_of(const std::string& name) const {
    for (const RateRule& rule : options_.rates)
      if (name.find(rule.part) != std::string::npos) return rule.rate;
    return 1.0;
  }

  Group& group(double rate, double decay) {
    for (auto& g : groups_)
      if (g.rate == rate && g.decay == decay) return g;
    return groups_.emplace_back(Group{rate, decay});
  }

  double gradient_norm() const {
    std::vector<at::Tensor> norms;
    for (const auto& g : groups_)
      for (const auto& p : g.parameters)
        if (p.grad().defined()) norms.push_back(at::linalg_vector_norm(p.grad()));
    return norms.empty() ? 0.0 : at::linalg_vector_norm(at::stack(norms)).item<double>();
  }

  /// @param shrink  divisor of every gradient in the kernel, undefined for 1
  void update(Group& g, double factor, const at::Tensor& shrink) {
    std::vector<at::Tensor> parameters, gradients, first, second, steps;
    for (std::size_t i = 0; i < g.parameters.size(); ++i) {
      if (!g.parameters[i].grad().defined()) continue;
      g.steps[i] += 1;
      parameters.push_back(g.parameters[i]);
      gradients.push_back(g.parameters[i].grad());
      first.push_back(g.first[i]);
      second.push_back(g.second[i]);
      steps.push_back(g.steps[i]);
    }
    if (parameters.empty()) return;
    at::_fused_adamw_(parameters, gradients, first, second, /*max_exp_avg_sqs=*/{}, steps,
                      options_.learning_rate * factor * g.rate, options_.beta1, options_.beta2, g.decay,
                      options_.epsilon, /*amsgrad=*/false, /*maximize=*/false,
                      shrink.defined() ? std::optional<at::Tensor>(shrink) : std::nullopt);
    // The operator does not count its change, on which nn::PackedWeights relies.
    for (const auto& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
  }

  AdamWOptions options_;
  std::vector<Group> groups_;
};

}  // namespace rc3::train
