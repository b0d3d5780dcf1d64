#pragma once
/// Objectives with their weights: `0.5 * objective::Itc()`.

#include <ATen/core/Tensor.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "rc3/core/error.hpp"

namespace rc3::objective {

/// Objective and its weight in the sum of losses, >= 0.
template <class Objective>
struct WeightedObjective {
  double weight = 1;                     ///< w, unitless, >= 0; 0: the Pretrainer does not compute this loss
  std::shared_ptr<Objective> objective;  ///< never null from weighted()
};

/// @throws rc3::Error for a negative weight
template <class Objective>
WeightedObjective<Objective> weighted(double weight, Objective objective) {
  require(weight >= 0, "objective::WeightedObjective: the weight must not be negative, is ", weight);
  return {weight, std::make_shared<Objective>(std::move(objective))};
}

/// The same; without a weight it is 1.
template <class Objective>
WeightedObjective<Objective> as_weighted(WeightedObjective<Objective> objective) {
  return objective;
}
/// An objective without a weight of its own: the weight 1.
template <class Objective>
WeightedObjective<Objective> as_weighted(Objective objective) {
  return weighted(1.0, std::move(objective));
}

/// `0.5 * Itc()`. Found by argument-dependent lookup for objectives of rc3; weighted(0.5, Mine()) serves others.
template <class Objective>
requires(std::is_class_v<Objective> && !std::is_convertible_v<Objective, at::Tensor>)  //
    WeightedObjective<Objective>
operator*(double weight, Objective objective) { return weighted(weight, std::move(objective)); }

}  // namespace rc3::objective
