#pragma once
/// Products of rows and queries by AVX2 and AVX-512, for screen.hpp: a function is compiled for its instructions,
/// whatever the compiler's flags; the processor is asked before one is called. x86-64 only.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "rc3/search/storage.hpp"

#define RC3_AVX2 __attribute__((target("avx2,fma")))
#define RC3_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))

namespace rc3::search::detail {

/// Mask of masked operations: those without one begin with an undefined value, of which g++ 12 warns.
inline constexpr __mmask16 all_lanes = 0xFFFF;

RC3_AVX512 inline __m512 load_avx512(const float* p) { return _mm512_loadu_ps(p); }
RC3_AVX512 inline __m512 load_avx512(const Bfloat16* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all_lanes, _mm512_maskz_cvtepu16_epi32(all_lanes, bits), 16));
}
RC3_AVX512 inline __m512 load_avx512(const std::int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_maskz_cvtepi32_ps(all_lanes, _mm512_maskz_cvtepi8_epi32(all_lanes, bytes));
}
RC3_AVX2 inline __m256 load_avx2(const float* p) { return _mm256_loadu_ps(p); }
RC3_AVX2 inline __m256 load_avx2(const Bfloat16* p) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
RC3_AVX2 inline __m256 load_avx2(const std::int8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
RC3_AVX2 inline float sum_avx2(__m256 x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

template <class T>
RC3_AVX512 void floats_avx512(const T* from, float* to, std::size_t n) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(to + i, load_avx512(from + i));
  for (; i < n; ++i) to[i] = value_of(from[i]);
}

/// out[i] = sum of the products of row i and the query.
template <class T>
RC3_AVX512 void products_avx512(const T* rows, std::size_t n, std::size_t d, const float* query, float* out) {
  for (std::size_t r = 0; r < n; ++r, rows += d) {
    __m512 a = _mm512_setzero_ps(), b = a, c = a, e = a;
    std::size_t i = 0;
    for (; i + 64 <= d; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(rows + i) + 4096, _MM_HINT_T0);
      a = _mm512_fmadd_ps(load_avx512(rows + i), _mm512_loadu_ps(query + i), a);
      b = _mm512_fmadd_ps(load_avx512(rows + i + 16), _mm512_loadu_ps(query + i + 16), b);
      c = _mm512_fmadd_ps(load_avx512(rows + i + 32), _mm512_loadu_ps(query + i + 32), c);
      e = _mm512_fmadd_ps(load_avx512(rows + i + 48), _mm512_loadu_ps(query + i + 48), e);
    }
    for (; i + 16 <= d; i += 16) a = _mm512_fmadd_ps(load_avx512(rows + i), _mm512_loadu_ps(query + i), a);
    const __m512 all = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, e));
    float sum =
        sum_avx2(_mm256_add_ps(_mm512_maskz_extractf32x8_ps(0xFF, all, 0), _mm512_maskz_extractf32x8_ps(0xFF, all, 1)));
    for (; i < d; ++i) sum += value_of(rows[i]) * query[i];
    out[r] = sum;
  }
}

template <class T>
RC3_AVX2 void products_avx2(const T* rows, std::size_t n, std::size_t d, const float* query, float* out) {
  for (std::size_t r = 0; r < n; ++r, rows += d) {
    __m256 a = _mm256_setzero_ps(), b = a, c = a, e = a;
    std::size_t i = 0;
    for (; i + 32 <= d; i += 32) {
      a = _mm256_fmadd_ps(load_avx2(rows + i), _mm256_loadu_ps(query + i), a);
      b = _mm256_fmadd_ps(load_avx2(rows + i + 8), _mm256_loadu_ps(query + i + 8), b);
      c = _mm256_fmadd_ps(load_avx2(rows + i + 16), _mm256_loadu_ps(query + i + 16), c);
      e = _mm256_fmadd_ps(load_avx2(rows + i + 24), _mm256_loadu_ps(query + i + 24), e);
    }
    for (; i + 8 <= d; i += 8) a = _mm256_fmadd_ps(load_avx2(rows + i), _mm256_loadu_ps(query + i), a);
    float sum = sum_avx2(_mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, e)));
    for (; i < d; ++i) sum += value_of(rows[i]) * query[i];
    out[r] = sum;
  }
}

/// Masks of R rows and C vectors of 16 queries, shifted by @p shift; queries by element, @p columns apart.
template <int R, int C>
RC3_AVX512 inline void tile_avx512(const float* rows, const float* scales, std::size_t d, const float* queries,
                                   std::size_t columns, const float* thresholds, std::size_t shift,
                                   std::uint64_t* masks) {
  __m512 sums[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) sums[r][c] = _mm512_setzero_ps();
  for (std::size_t i = 0; i < d; ++i, queries += columns) {
    __m512 q[C];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) q[c] = _mm512_loadu_ps(queries + 16 * c);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m512 x = _mm512_set1_ps(rows[static_cast<std::size_t>(r) * d + i]);
#pragma GCC unroll 8
      for (int c = 0; c < C; ++c) sums[r][c] = _mm512_fmadd_ps(x, q[c], sums[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const __m512 scale = _mm512_set1_ps(scales != nullptr ? scales[r] : 1.0f);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c)
      masks[r] |= std::uint64_t{_mm512_cmp_ps_mask(_mm512_mul_ps(sums[r][c], scale),
                                                   _mm512_loadu_ps(thresholds + 16 * c), _CMP_NLT_UQ)}
                  << (shift + 16 * static_cast<std::size_t>(c));
  }
}

template <int C>
RC3_AVX512 void screen_avx512(const float* rows, const float* scales, std::size_t n, std::size_t d,
                              const float* queries, std::size_t columns, const float* thresholds, std::size_t shift,
                              std::uint64_t* masks) {
  constexpr int R = C == 4 ? 6 : 8;
  std::size_t r = 0;
  for (; r + R <= n; r += R)
    tile_avx512<R, C>(rows + r * d, scales != nullptr ? scales + r : nullptr, d, queries, columns, thresholds, shift,
                      masks + r);
  for (; r < n; ++r)
    tile_avx512<1, C>(rows + r * d, scales != nullptr ? scales + r : nullptr, d, queries, columns, thresholds, shift,
                      masks + r);
}

/// Sets the bits of Screen::operator().
/// @param queries  by element, [d, columns]; columns a multiple of 16, at most 64
inline void screen_avx512(const float* rows, const float* scales, std::size_t n, std::size_t d, const float* queries,
                          std::size_t columns, const float* thresholds, std::uint64_t* masks) {
  switch (columns) {
    case 64:
      return screen_avx512<4>(rows, scales, n, d, queries, columns, thresholds, 0, masks);
    case 48:
      return screen_avx512<3>(rows, scales, n, d, queries, columns, thresholds, 0, masks);
    case 32:
      return screen_avx512<2>(rows, scales, n, d, queries, columns, thresholds, 0, masks);
    default:
      return screen_avx512<1>(rows, scales, n, d, queries, columns, thresholds, 0, masks);
  }
}

/// The same of 16 queries, as two vectors.
template <int R>
RC3_AVX2 inline void tile_avx2(const float* rows, const float* scales, std::size_t d, const float* queries,
                               std::size_t columns, const float* thresholds, std::size_t shift, std::uint64_t* masks) {
  __m256 low[R], high[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) low[r] = high[r] = _mm256_setzero_ps();
  for (std::size_t i = 0; i < d; ++i, queries += columns) {
    const __m256 a = _mm256_loadu_ps(queries), b = _mm256_loadu_ps(queries + 8);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m256 x = _mm256_broadcast_ss(rows + static_cast<std::size_t>(r) * d + i);
      low[r] = _mm256_fmadd_ps(x, a, low[r]);
      high[r] = _mm256_fmadd_ps(x, b, high[r]);
    }
  }
  const __m256 t = _mm256_loadu_ps(thresholds), u = _mm256_loadu_ps(thresholds + 8);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const __m256 scale = _mm256_set1_ps(scales != nullptr ? scales[r] : 1.0f);
    const int a = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_mul_ps(low[r], scale), t, _CMP_NLT_UQ));
    const int b = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_mul_ps(high[r], scale), u, _CMP_NLT_UQ));
    masks[r] |= static_cast<std::uint64_t>(a | b << 8) << shift;
  }
}

inline RC3_AVX2 void screen_avx2(const float* rows, const float* scales, std::size_t n, std::size_t d,
                                 const float* queries, std::size_t columns, const float* thresholds,
                                 std::uint64_t* masks) {
  constexpr std::size_t R = 6;
  std::size_t r = 0;
  for (; r + R <= n; r += R)  // the rows stay in the first cache for all queries
    for (std::size_t q = 0; q < columns; q += 16)
      tile_avx2<R>(rows + r * d, scales != nullptr ? scales + r : nullptr, d, queries + q, columns, thresholds + q, q,
                   masks + r);
  for (; r < n; ++r)
    for (std::size_t q = 0; q < columns; q += 16)
      tile_avx2<1>(rows + r * d, scales != nullptr ? scales + r : nullptr, d, queries + q, columns, thresholds + q, q,
                   masks + r);
}

}  // namespace rc3::search::detail

#undef RC3_AVX2
#undef RC3_AVX512
