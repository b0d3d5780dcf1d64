#pragma once
/// Learning-rate schedule. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace rc3::train {

/// Decay after the warm-up.
enum class Decay { cosine, linear, constant };

/// Linear warm-up from 0, then decay to `floor` by a half cosine or a line, or no decay.
struct Schedule {
  std::int64_t warmup = 100;    ///< optimizer steps, >= 0
  std::int64_t total = 1000;    ///< optimizer steps, >= 1
  double floor = 0.0;           ///< final share of the learning rate, in [0, 1]
  Decay decay = Decay::cosine;  ///< from the end of the warm-up to `total`

  /// Factor of the learning rate at @p step (from 0), in [0, 1].
  double factor(std::int64_t step) const {
    if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
    if (decay == Decay::constant) return 1;
    const auto span = std::max<std::int64_t>(total - warmup, 1);
    const double done = std::clamp(static_cast<double>(step - warmup) / static_cast<double>(span), 0.0, 1.0);
    const double left = decay == Decay::linear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
    return floor + (1 - floor) * left;
  }
};

}  // namespace rc3::train
