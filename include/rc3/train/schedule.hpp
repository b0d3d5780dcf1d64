#pragma once
/// How the learning rate runs over a training. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace rc3::train {

/// Linear warm-up from 0, then half a cosine down to `floor`.
struct Schedule {
  std::int64_t warmup = 100;  ///< optimizer steps, >= 0
  std::int64_t total = 1000;  ///< optimizer steps, >= 1
  double floor = 0.0;         ///< share of the learning rate at the end, in [0, 1]

  /// Factor of the learning rate at @p step (from 0), in [0, 1].
  double factor(std::int64_t step) const {
    if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
    const auto span = std::max<std::int64_t>(total - warmup, 1);
    const double done = std::clamp(static_cast<double>(step - warmup) / static_cast<double>(span), 0.0, 1.0);
    return floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
};

}  // namespace rc3::train
