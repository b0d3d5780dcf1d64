#pragma once
/// Linear layers with weights of 8 bits, for inference: a scale for each row of the weight and of the input.

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/cpu/Utils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "rc3/core/nn/parallel_rows.hpp"

namespace rc3::nn {

namespace detail {

/// LibTorch's operators for products of bytes, those of its compiler. Without oneDNN there are none.
struct ByteOperators {
  std::optional<c10::OperatorHandle> pack, product;

  /// @return the operators, if this processor multiplies bytes without overflow (AVX-512 VNNI); else none
  static const ByteOperators& get() {
    static const ByteOperators operators = [] {
      ByteOperators found;
#if defined(__x86_64__)
      auto& dispatcher = c10::Dispatcher::singleton();
      const auto pack = dispatcher.findSchema({"onednn::qlinear_prepack", ""});
      const auto product = dispatcher.findSchema({"onednn::qlinear_pointwise", ""});
      if (!at::cpu::is_avx512_vnni_supported() || !at::globalContext().userEnabledMkldnn() || !pack || !product)
        return found;
      found.pack = pack;
      found.product = product;
#endif
      return found;
    }();
    return operators;
  }
};

#if defined(__x86_64__)
#define RC3_AVX512_ROWS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))

/// x is about scale times a byte, plus least.
struct RowScale {
  float scale = 0, least = 0;
};

/// to[i] = round((from[i] - least) / scale), where least and scale span the row; NaN if an element is.
RC3_AVX512_ROWS inline RowScale to_bytes(const float* from, std::uint8_t* to, std::int64_t n) {
  const auto lanes = [n](std::int64_t i) {
    return n - i >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << (n - i)) - 1);
  };
  __m512 least = _mm512_set1_ps(from[0]), most = least;
  __mmask16 none = 0;
  for (std::int64_t i = 0; i < n; i += 16) {
    const __m512 x = _mm512_mask_loadu_ps(least, lanes(i), from + i);
    none |= _mm512_mask_cmp_ps_mask(lanes(i), x, x, _CMP_UNORD_Q);
    least = _mm512_mask_min_ps(least, lanes(i), least, x);
    most = _mm512_mask_max_ps(most, lanes(i), most, x);
  }
  alignas(64) float low[16], high[16];
  _mm512_store_ps(low, least);
  _mm512_store_ps(high, most);
  const float from_here = *std::min_element(low, low + 16), range = *std::max_element(high, high + 16) - from_here;
  const __m512 first = _mm512_set1_ps(from_here), inverse = _mm512_set1_ps(range > 0 ? 255 / range : 0);
  for (std::int64_t i = 0; i < n; i += 16) {
    const __m512 x = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(lanes(i), from + i), first), inverse);
    _mm512_mask_cvtusepi32_storeu_epi8(to + i, lanes(i), _mm512_maskz_cvtps_epi32(lanes(i), x));
  }
  return {none != 0 ? std::numeric_limits<float>::quiet_NaN() : range / 255, from_here};
}

/// y[i] = scale y[i] + least sums[i] + bias[i]; no bias: null
RC3_AVX512_ROWS inline void scale_row(float* y, RowScale row, const float* sums, const float* bias, std::int64_t n) {
  const __m512 scale = _mm512_set1_ps(row.scale), least = _mm512_set1_ps(row.least);
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto lanes = n - i >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m512 b = bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(lanes, bias + i);
    const __m512 rest = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, sums + i), least, b);
    _mm512_mask_storeu_ps(y + i, lanes, _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, y + i), scale, rest));
  }
}
#endif

}  // namespace detail

/// Scope guard: linear layers of this thread have weights of 8 bits, without gradient on a processor that is able to.
class EightBits {
 public:
  /// @param wanted  false: no effect
  explicit EightBits(bool wanted = true) : before_(on()) { on() = before_ || wanted; }
  ~EightBits() { on() = before_; }
  EightBits(const EightBits&) = delete;
  EightBits& operator=(const EightBits&) = delete;

  /// Whether one lives in this thread.
  static bool active() { return on(); }
  /// Whether this processor and LibTorch have such products.
  static bool supported() { return detail::ByteOperators::get().product.has_value(); }

 private:
  static bool& on() {
    static thread_local bool active = false;
    return active;
  }
  bool before_;
};

/// A weight in bytes: row i is scales[i] times its bytes.
struct ByteWeight {
  at::Tensor packed;  ///< int8, in the layout of the processor's products
  at::Tensor scales;  ///< float [out]
  at::Tensor sums;    ///< float [out], of the rows
  at::Tensor zeros;   ///< int32 [out]
};

/// Rounds a weight; each row has a scale of its own.
/// @param weight  float [out, in]  @pre EightBits::supported()
inline ByteWeight to_bytes(const at::Tensor& weight) {
  const auto scales = weight.abs().amax(1) / 127;  // 0 for a row of zeros
  const auto bytes = (weight / scales.clamp_min(1e-30).unsqueeze(1)).round().to(at::kChar);
  torch::jit::Stack stack{bytes, c10::IValue()};
  detail::ByteOperators::get().pack->callBoxed(stack);
  return {stack[0].toTensor(), scales, bytes.to(at::kFloat).sum(1) * scales, at::zeros(scales.sizes(), at::kInt)};
}

/// W x + b, where each row of x is rounded to 255 steps between its own least and largest element: the result for a row
/// does not depend on the others.
/// @param x     float [..., in]
/// @param bias  float [out]; undefined: none
/// @return float [..., out]  @pre EightBits::supported()
inline at::Tensor linear([[maybe_unused]] const ByteWeight& weight, [[maybe_unused]] const at::Tensor& bias,
                         const at::Tensor& x) {
#if defined(__x86_64__)
  const auto rows = x.to(at::kFloat).contiguous().view({-1, x.size(-1)});
  const auto n = rows.size(0), in = rows.size(1), out = weight.scales.size(0);
  const auto bytes = at::empty({n, in}, at::kByte);
  std::vector<detail::RowScale> scales(static_cast<std::size_t>(n));
  const auto grain = [](std::int64_t width) { return 1 + 16384 / width; };
  const float* from = rows.const_data_ptr<float>();
  parallel_rows(n, grain(in), [&, to = bytes.data_ptr<std::uint8_t>()](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i)
      scales[static_cast<std::size_t>(i)] = detail::to_bytes(from + i * in, to + i * in, in);
  });
  torch::jit::Stack stack{bytes,
                          1.0,  // scale of x, which follows below
                          std::int64_t{0},
                          weight.packed,
                          weight.scales,
                          weight.zeros,
                          c10::IValue(),  // bias
                          1.0,
                          std::int64_t{0},
                          static_cast<std::int64_t>(at::kFloat),
                          "none",
                          c10::List<std::optional<at::Scalar>>(),
                          "none"};
  detail::ByteOperators::get().product->callBoxed(stack);
  const auto y = stack[0].toTensor();
  const float* sums = weight.sums.const_data_ptr<float>();
  const float* b = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  parallel_rows(n, grain(out), [&, to = y.data_ptr<float>()](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i)
      detail::scale_row(to + i * out, scales[static_cast<std::size_t>(i)], sums, b, out);
  });
  auto sizes = x.sizes().vec();
  sizes.back() = out;
  return y.view(sizes);
#else
  return x;  // not supported
#endif
}

}  // namespace rc3::nn
