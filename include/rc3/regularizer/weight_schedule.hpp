#pragma once
/// Weight of a regularizer during training. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "rc3/core/error.hpp"

namespace rc3::regularizer {

/// lambda as a function of the step: constant, or linear between two values.
class WeightSchedule {
 public:
  /// Constant. @param value  >= 0
  WeightSchedule(double value = 1.0) : WeightSchedule(value, value, 0) {}  // NOLINT: a number is the usual schedule

  /// Linear from @p from at step 0 to @p to at step @p steps, then constant.
  static WeightSchedule linear(double from, double to, std::int64_t steps) { return {from, to, steps}; }

  /// lambda at @p step, >= 0.
  double at(std::int64_t step) const {
    if (step >= steps_) return to_;
    const double share = static_cast<double>(std::max<std::int64_t>(step, 0)) / static_cast<double>(steps_);
    return from_ + (to_ - from_) * share;
  }

 private:
  WeightSchedule(double from, double to, std::int64_t steps) : from_(from), to_(to), steps_(steps) {
    require(from >= 0 && to >= 0 && std::isfinite(from) && std::isfinite(to),
            "lambda must be a finite number >= 0, is ", from < 0 || !std::isfinite(from) ? from : to);
    require(steps >= 0, "lambda's schedule: steps must not be negative, is ", steps);
  }

  double from_, to_;
  std::int64_t steps_;
};

}  // namespace rc3::regularizer
