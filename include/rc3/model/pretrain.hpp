#pragma once
/// A model with objectives.

#include <array>
#include <memory>
#include <utility>

#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/weighted.hpp"

namespace rc3 {

/// Model with objectives: `pretrain(model, 1.0 * objective::RXvtcl<>(), 0.5 * objective::Itc())`; without a weight it
/// is 1. A handle: copies share the Pretrainer.
/// @param objectives  each an objective::Policy of the model, or objective::WeightedObjective
template <class M, class... Objectives>
auto pretrain(std::shared_ptr<M> model, Objectives... objectives) {
  return [&]<class... O>(objective::WeightedObjective<O>... weighted) {
    return std::make_shared<Pretrainer<M, O...>>(std::move(model), std::array{weighted.weight...},
                                                 std::move(weighted.objective)...);
  }(objective::as_weighted(std::move(objectives))...);
}

}  // namespace rc3
