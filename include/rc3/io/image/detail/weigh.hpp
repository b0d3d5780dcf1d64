#pragma once
/// Inner loops of resizing: sums of bytes times fixed-point weights, rounded to bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rc3::io::detail {

/// Fixed point: 8 bits of colour, 22 of weight, and 2 for the overshoot of negative weights.
inline constexpr int weight_bits = 22;

/// Weights of one output pixel, also as halves: weight = 2^11 high + low. Both halves fit 16 bits, which baseline
/// x86-64 multiplies and adds in pairs. Exact: the sums equal those of the 32-bit products.
struct Weights {
  const std::int32_t* whole;
  const std::int16_t* high;
  const std::int16_t* low;
  int count;
};
inline constexpr int low_bits = 11;
/// Largest number of weights for which the sum of the lower halves fits 32 bits.
inline constexpr int most_halves = 4096;

inline std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255));
}

/// @p n bytes, each from its column of @p w.count rows, @p stride apart.
inline void weigh_columns(const std::uint8_t* in, std::size_t stride, std::size_t n, const Weights& w,
                          std::uint8_t* out) {
  std::size_t x = 0;
#if defined(__SSE2__)
  if (w.count <= most_halves) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i half = _mm_set1_epi32(1 << (weight_bits - 1));
    const auto pair = [](const std::int16_t* v, bool both) {
      return _mm_set1_epi32(
          (both ? static_cast<int>(static_cast<std::uint32_t>(static_cast<std::uint16_t>(v[1])) << 16) : 0) |
          static_cast<std::uint16_t>(v[0]));
    };
    for (; x + 8 <= n; x += 8) {
      __m128i high0 = zero, high1 = zero, low0 = half, low1 = half;
      for (int k = 0; k < w.count; k += 2) {
        const bool both = k + 1 < w.count;
        const auto* row = in + x + static_cast<std::size_t>(k) * stride;
        const __m128i a = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row));
        const __m128i b = both ? _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + stride)) : zero;
        const __m128i bytes = _mm_unpacklo_epi8(a, b);
        const __m128i first = _mm_unpacklo_epi8(bytes, zero), second = _mm_unpackhi_epi8(bytes, zero);
        const __m128i h = pair(w.high + k, both), l = pair(w.low + k, both);
        high0 = _mm_add_epi32(high0, _mm_madd_epi16(first, h));
        high1 = _mm_add_epi32(high1, _mm_madd_epi16(second, h));
        low0 = _mm_add_epi32(low0, _mm_madd_epi16(first, l));
        low1 = _mm_add_epi32(low1, _mm_madd_epi16(second, l));
      }
      const __m128i sum0 = _mm_srai_epi32(_mm_add_epi32(_mm_slli_epi32(high0, low_bits), low0), weight_bits);
      const __m128i sum1 = _mm_srai_epi32(_mm_add_epi32(_mm_slli_epi32(high1, low_bits), low1), weight_bits);
      const __m128i words = _mm_packs_epi32(sum0, sum1);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out + x), _mm_packus_epi16(words, words));
    }
  }
#endif
  for (; x < n; ++x) {
    std::int32_t sum = 1 << (weight_bits - 1);
    for (int k = 0; k < w.count; ++k) sum += in[x + static_cast<std::size_t>(k) * stride] * w.whole[k];
    out[x] = rounded(sum);
  }
}

/// One RGBA pixel from @p w.count neighbours.
inline void weigh_neighbours(const std::uint8_t* in, const Weights& w, std::uint8_t* out) {
#if defined(__SSE2__)
  if (w.count <= most_halves) {
    const __m128i zero = _mm_setzero_si128();
    __m128i high = zero, low = _mm_set1_epi32(1 << (weight_bits - 1));
    const auto add = [&](__m128i pixels, int h,
                         int l) {  // of two pixels: r0 r1 g0 g1 b0 b1 a0 a1 times w0 w1 w0 w1 ...
      const __m128i words = _mm_unpacklo_epi8(_mm_unpacklo_epi8(pixels, _mm_srli_si128(pixels, 4)), zero);
      high = _mm_add_epi32(high, _mm_madd_epi16(words, _mm_set1_epi32(h)));
      low = _mm_add_epi32(low, _mm_madd_epi16(words, _mm_set1_epi32(l)));
    };
    int k = 0;
    for (; k + 2 <= w.count; k += 2) {
      int h, l;  // two weights at once
      std::memcpy(&h, w.high + k, sizeof h);
      std::memcpy(&l, w.low + k, sizeof l);
      add(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(in + 4 * static_cast<std::size_t>(k))), h, l);
    }
    if (k < w.count) {
      int pixel;  // the last one alone: memory may end after it
      std::memcpy(&pixel, in + 4 * static_cast<std::size_t>(k), sizeof pixel);
      add(_mm_cvtsi32_si128(pixel), static_cast<std::uint16_t>(w.high[k]), static_cast<std::uint16_t>(w.low[k]));
    }
    const __m128i sum = _mm_srai_epi32(_mm_add_epi32(_mm_slli_epi32(high, low_bits), low), weight_bits);
    const __m128i words = _mm_packs_epi32(sum, sum);
    const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    std::memcpy(out, &pixel, sizeof pixel);
    return;
  }
#endif
  for (std::size_t c = 0; c < 4; ++c) {
    std::int32_t sum = 1 << (weight_bits - 1);
    for (int k = 0; k < w.count; ++k) sum += in[4 * static_cast<std::size_t>(k) + c] * w.whole[k];
    out[c] = rounded(sum);
  }
}

}  // namespace rc3::io::detail
