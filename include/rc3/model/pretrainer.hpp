#pragma once
/// Pretrainer: a model and the weighted sum of any number of objectives.

#include <torch/nn/module.h>

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/model/diagnosis.hpp"
#include "rc3/model/losses.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/gather.hpp"

namespace rc3 {

/// A model with its training objectives: the loss is L = sum_k w_k L_k.
/// @tparam Host        an rc3::Model
/// @tparam Objectives  objective::Policy each; objectives not listed cost nothing
template <class Host, class... Objectives>
requires(sizeof...(Objectives) > 0 && (objective::Policy<Objectives, Host> &&
                                       ...)) class Pretrainer<Host, Objectives...> : public torch::nn::Module {
 public:
  static constexpr std::size_t objectives = sizeof...(Objectives);  ///< number of objectives, > 0

  /// On the model's device.
  /// @param weights    w_k, one per objective, >= 0
  /// @param instances  the objectives, in the order of the template arguments
  Pretrainer(std::shared_ptr<Host> model, std::array<double, objectives> weights,
             std::shared_ptr<Objectives>... instances)
      : model_(register_module("model", std::move(model))), objectives_(std::move(instances)...) {
    set_weights(weights);
    std::apply([this](auto&... o) { (adopt(o), ...); }, objectives_);
    this->to(nn::device_of(*model_));
  }

  /// Type name: "Pretrainer<Model<...>, objective::..., ...>".
  static std::string name() { return type_name<Pretrainer>(); }

  /// Names of the objectives for logs: "RXvtcl", "Itc".
  static std::vector<std::string> objective_names() { return {short_name(type_name<Objectives>())...}; }

  /// Encodes the batch once and evaluates every objective with a positive weight.
  /// @throws rc3::Error for a batch without samples
  Losses losses(const Batch& batch) {
    require(batch.size() > 0, "rc3::Pretrainer: the batch is empty");
    objective::ForwardCache<Host> forward(*model_, batch);
    forward.set_fuses(fuses());
    return sum([&](auto& objective) { return objective.loss(forward); });
  }

  /// This rank's share of the losses over the batches of all ranks. The sum of the shares is the loss, and the sum of
  /// their gradients is its gradient. Contrastive objectives (objective::Cacheable) use all ranks' samples as
  /// negatives, like one rank with the whole batch. Other objectives are means over each rank's samples.
  /// @param batch  the same number of samples on every rank, with ids that differ between the ranks
  /// @throws rc3::Error for a batch without samples
  template <Communicator Comm>
  Losses losses(const Batch& batch, Comm& comm) {
    if (comm.size() == 1) return losses(batch);
    require(batch.size() > 0, "rc3::Pretrainer: the batch is empty");
    const Batch whole = objective::gather_batch(comm, batch);
    objective::ForwardCache<Host> forward(*model_, batch, whole, comm.rank() * batch.size());
    forward.set_fuses(fuses());
    return sum([&]<class Objective>(Objective& objective) {
      if constexpr (objective::Cacheable<Objective, Host>) {
        const auto share = objective::gathered_loss(comm, forward, objective);
        if constexpr (requires { objective.after(forward); }) objective.after(forward);
        return share;
      } else {
        return objective.loss(forward) / comm.size();
      }
    });
  }

  /// State of the objectives across steps, beyond their parameters.
  StateDict state_dict() const {
    StateDict all;
    each([&](const auto& objective, const std::string& prefix) { add_state_dict(all, prefix, objective); });
    return all;
  }
  /// @throws rc3::Error for state that an objective refuses
  void check_state_dict(const StateDict& all) const {
    std::size_t known = 0;
    each([&](const auto& objective, const std::string& prefix) {
      known += rc3::check_state_dict(all, prefix, objective);
    });
    require(known == all.size(), "rc3::Pretrainer: the state has ", all.size() - known, " tensors of no objective");
  }
  /// @throws rc3::Error as check_state_dict; in that case no objective changes
  void load_state_dict(const StateDict& all) {
    check_state_dict(all);
    each([&](auto& objective, const std::string& prefix) { rc3::load_state_dict(all, prefix, objective); });
  }

  /// Sets the step, from 0, of every objective with a schedule (`at_step(std::int64_t)`).
  void at_step(std::int64_t step) {
    const auto tell = [step](auto& objective) {
      if constexpr (requires { objective.at_step(step); }) objective.at_step(step);
    };
    std::apply([&](auto&... o) { (tell(*o), ...); }, objectives_);
  }

  const std::shared_ptr<Host>& model() const { return model_; }
  const std::array<double, objectives>& weights() const { return weights_; }  ///< w_k, each >= 0

  /// Sets the weights, as in the constructor, for the next stage of training.
  /// @throws rc3::Error for a negative weight
  void set_weights(const std::array<double, objectives>& weights) {
    for (const double w : weights) require(w >= 0, "rc3::Pretrainer: weights must not be negative, one is ", w);
    weights_ = weights;
  }

  /// Calls @p visit(objective) for each objective.
  template <class Visit>
  void for_each_objective(const Visit& visit) {
    std::apply([&](auto&... o) { (visit(*o), ...); }, objectives_);
  }

  /// The k-th objective, for example to calibrate its relevance.
  template <std::size_t K>
  auto& get() {
    return *std::get<K>(objectives_);
  }

 private:
  template <class Objective>
  void adopt(std::shared_ptr<Objective>& objective) {
    require(objective != nullptr, "rc3::Pretrainer: objective ", type_name<Objective>(), " is null");
    if constexpr (std::is_base_of_v<torch::nn::Module, Objective>)
      register_module("objective_" + std::to_string(adopted_), objective);
    ++adopted_;
  }

  /// Whether an objective with a positive weight reads more than embeddings.
  bool fuses() const {
    std::size_t k = 0;
    return ((weights_[k++] > 0 && !objective::embeddings_only<Objectives>) || ...);
  }

  /// Weighted sum of `loss_of(objective)` over the objectives with a positive weight.
  template <class LossOf>
  Losses sum(const LossOf& loss_of) {
    Losses losses;
    const auto add = [&](auto& objective) {
      const double weight = weights_[losses.parts.size()];
      if (weight == 0) {
        losses.parts.push_back(0);
        return;
      }
      const at::Tensor loss = loss_of(objective);
      losses.parts.push_back(loss.template item<double>());
      losses.total = losses.total.defined() ? losses.total + weight * loss : weight * loss;
    };
    std::apply([&](auto&... o) { (add(*o), ...); }, objectives_);
    require(losses.total.defined(), "rc3::Pretrainer: every objective has weight 0, nothing is left to learn");
    return losses;
  }

  /// Calls @p visit(objective, "K.") for the K-th objective.
  template <class Visit>
  void each(const Visit& visit) const {
    std::size_t k = 0;
    std::apply([&](auto&... o) { (visit(*o, std::to_string(k++) + "."), ...); }, objectives_);
  }

  static std::string short_name(std::string name) {
    name = name.substr(0, name.find('<'));
    return name.substr(name.rfind(':') + 1);
  }

  std::array<double, objectives> weights_{};
  std::shared_ptr<Host> model_;
  std::tuple<std::shared_ptr<Objectives>...> objectives_;
  std::size_t adopted_ = 0;
};

}  // namespace rc3
