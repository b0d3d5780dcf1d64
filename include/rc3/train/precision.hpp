#pragma once
/// Precision: float32 or bfloat16, by measured speed.

#include <ATen/autocast_mode.h>
#include <ATen/ops/ones.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "rc3/core/nn/eight_bits.hpp"
#include "rc3/train/options.hpp"

namespace rc3::train {

namespace detail {
/// @param n  rows and columns of the product
inline bool measures_bfloat16_faster(const at::Device& device, std::int64_t n) {
  const auto best = [&](at::ScalarType type) {
    const auto a = at::ones({n, n}, at::TensorOptions(device).dtype(type));
    double seconds = 1e9;
    for (int i = 0; i < 4; ++i) {  // the first is a warm-up; the minimum of the others is the least disturbed
      const auto start = std::chrono::steady_clock::now();
      a.matmul(a)[0][0].item<double>();  // waits for the device
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (i > 0) seconds = std::min(seconds, took.count());
    }
    return seconds;
  };
  return best(at::kBFloat16) < best(at::kFloat);
}
}  // namespace detail

/// Whether a matrix product takes less time in bfloat16 than in float32, measured once: 256 x 256 x 256 on the CPU,
/// 4096 x 4096 x 4096 elsewhere. On a GPU the launch of a small product would take longer than the product. Processors
/// without bfloat16 instructions emulate it, a hundred times slower, and no flag identifies all of them.
inline bool bfloat16_is_fast(const at::Device& device = at::kCPU) {
  if (!device.is_cpu()) return detail::measures_bfloat16_faster(device, 4096);
  static const bool fast = detail::measures_bfloat16_faster(at::kCPU, 256);
  return fast;
}

/// @param device  of the computation
/// @return the precision that is used: not automatic; float32 for int8 where products of bytes are not supported
inline Precision resolve(Precision wish, const at::Device& device = at::kCPU) {
  if (wish == Precision::int8)
    return device.is_cpu() && nn::EightBits::supported() ? Precision::int8 : Precision::float32;
  if (wish != Precision::automatic) return wish;
  return bfloat16_is_fast(device) ? Precision::bfloat16 : Precision::float32;
}

/// Scope guard: autocast on a device type if @p precision is bfloat16, linear layers with weights of 8 bits if it is
/// int8. Norms, softmaxes and losses stay in float32.
class Autocast {
 public:
  /// @param device  of the computation; its type is switched, for this thread
  explicit Autocast(Precision precision, const at::Device& device = at::kCPU)
      : type_(device.type()), eight_(resolve(precision, device) == Precision::int8) {
    if (resolve(precision, device) != Precision::bfloat16) return;
    before_ = at::autocast::is_autocast_enabled(type_);
    dtype_before_ = at::autocast::get_autocast_dtype(type_);
    at::autocast::set_autocast_dtype(type_, at::kBFloat16);
    at::autocast::set_autocast_enabled(type_, true);
    active_ = true;
  }
  ~Autocast() {
    if (!active_) return;
    at::autocast::set_autocast_enabled(type_, before_);
    at::autocast::set_autocast_dtype(type_, dtype_before_);
    at::autocast::clear_cache();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType type_;
  nn::EightBits eight_;
  bool before_ = false, active_ = false;
  at::ScalarType dtype_before_ = at::kFloat;
};

}  // namespace rc3::train
