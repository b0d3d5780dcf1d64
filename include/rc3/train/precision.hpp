#pragma once
/// float32 or bfloat16, whichever this machine is really fast at.

#include <ATen/autocast_mode.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>

#include "rc3/train/options.hpp"

namespace rc3::train {

/// Whether a 256 x 256 x 256 matrix product takes less time in bfloat16 than in float32. Measured once: processors
/// without bfloat16 instructions emulate it, a hundred times slower, and no flag tells all of them apart.
inline bool bfloat16_is_fast() {
  static const bool fast = [] {
    const auto best = [](at::ScalarType type) {
      const auto a = at::ones({256, 256}, type);
      double seconds = 1e9;
      for (int i = 0; i < 4; ++i) {  // the first is a warm-up; the best of the others is the least disturbed
        const auto start = std::chrono::steady_clock::now();
        const auto product = a.matmul(a);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        if (i > 0) seconds = std::min(seconds, took.count());
      }
      return seconds;
    };
    return best(at::kBFloat16) < best(at::kFloat);
  }();
  return fast;
}

/// @return Precision::float32 or Precision::bfloat16
inline Precision resolve(Precision wish) {
  if (wish != Precision::automatic) return wish;
  return bfloat16_is_fast() ? Precision::bfloat16 : Precision::float32;
}

/// Autocast on the CPU while it lives, if @p precision is bfloat16. Norms, softmaxes and losses stay in float32.
class Autocast {
 public:
  explicit Autocast(Precision precision)
      : before_(at::autocast::is_autocast_enabled(at::kCPU)), type_before_(at::autocast::get_autocast_dtype(at::kCPU)) {
    if (resolve(precision) != Precision::bfloat16) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    active_ = true;
  }
  ~Autocast() {
    if (!active_) return;
    at::autocast::set_autocast_enabled(at::kCPU, before_);
    at::autocast::set_autocast_dtype(at::kCPU, type_before_);
    at::autocast::clear_cache();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool before_;
  at::ScalarType type_before_;
  bool active_ = false;
};

}  // namespace rc3::train
