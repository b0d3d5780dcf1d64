#pragma once
/// Attention of short sequences by AVX-512. LibTorch's kernel calls a matrix product for each 32 queries of a head,
/// which for captions takes longer than the product itself. x86-64 only; the processor is asked before a function is
/// called.

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#define RC3_AVX512_ATTENTION __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))

namespace rc3::nn::detail {

/// Queries, keys and values of a head: rows of tokens, a row apart by the given number of floats.
struct HeadView {
  const float *query, *key, *value;
  std::int64_t query_stride, key_stride, value_stride;
  float* out;
  std::int64_t out_stride;
};

/// e^x for x <= 0: 2^n e^r, |r| <= ln 2 / 2, by a polynomial of degree 6; relative error below 2e-7.
RC3_AVX512_ATTENTION inline __m512 exp_avx512(__m512 x) {
  x = _mm512_mask_max_ps(x, 0xFFFF, _mm512_set1_ps(-87.0F), x);  // a NaN stays
  const __m512 n = _mm512_maskz_roundscale_ps(0xFFFF, _mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)), 0);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), r);
  __m512 y = _mm512_set1_ps(1.0F / 720);
  for (const float c : {1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F})
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(c));
  return _mm512_maskz_scalef_ps(0xFFFF, y, n);
}

/// scores[r][j] of four queries and 16 V keys: products with transposed keys [width, columns].
template <int V>
RC3_AVX512_ATTENTION inline void scores_avx512(const float* const* queries, const float* keys, std::int64_t columns,
                                               std::int64_t width, float* scores) {
  __m512 sum[4][V];
  for (auto& row : sum)
    for (auto& s : row) s = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < width; ++i, keys += columns) {
    __m512 key[V];
    for (int v = 0; v < V; ++v) key[v] = _mm512_loadu_ps(keys + 16 * v);
    for (int r = 0; r < 4; ++r) {
      const __m512 query = _mm512_set1_ps(queries[r][i]);
      for (int v = 0; v < V; ++v) sum[r][v] = _mm512_fmadd_ps(query, key[v], sum[r][v]);
    }
  }
  for (int r = 0; r < 4; ++r)
    for (int v = 0; v < V; ++v) _mm512_storeu_ps(scores + r * columns + 16 * v, sum[r][v]);
}

/// Sum of the lanes, or their maximum.
template <bool Maximum>
RC3_AVX512_ATTENTION inline float of_lanes(__m512 x) {
  const __m256 a = _mm512_maskz_extractf32x8_ps(0xFF, x, 0), b = _mm512_maskz_extractf32x8_ps(0xFF, x, 1);
  const __m256 eight = Maximum ? _mm256_max_ps(a, b) : _mm256_add_ps(a, b);
  const __m128 c = _mm256_castps256_ps128(eight), d = _mm256_extractf128_ps(eight, 1);
  __m128 y = Maximum ? _mm_max_ps(c, d) : _mm_add_ps(c, d);
  const __m128 e = _mm_movehl_ps(y, y);
  y = Maximum ? _mm_max_ps(y, e) : _mm_add_ps(y, e);
  const __m128 f = _mm_movehdup_ps(y);
  return _mm_cvtss_f32(Maximum ? _mm_max_ss(y, f) : _mm_add_ss(y, f));
}

/// Softmax of scale times a row, in place; columns of padding become 0. @param columns  a multiple of 16
RC3_AVX512_ATTENTION inline void softmax_avx512(float* row, std::int64_t length, std::int64_t columns, float scale) {
  __m512 largest = _mm512_set1_ps(row[0]);  // columns of padding have the score of a token
  for (std::int64_t j = 0; j < columns; j += 16)
    largest = _mm512_mask_max_ps(largest, 0xFFFF, largest, _mm512_loadu_ps(row + j));
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512 most = _mm512_mul_ps(_mm512_set1_ps(of_lanes<true>(largest)), factor);
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t j = 0; j < columns; j += 16) {
    const auto lanes = length - j >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << (length - j)) - 1);
    const __m512 x = exp_avx512(_mm512_fmsub_ps(_mm512_loadu_ps(row + j), factor, most));
    const __m512 kept = _mm512_maskz_mov_ps(lanes, x);
    _mm512_storeu_ps(row + j, kept);
    sum = _mm512_add_ps(sum, kept);
  }
  const __m512 inverse = _mm512_set1_ps(1 / of_lanes<false>(sum));
  for (std::int64_t j = 0; j < columns; j += 16)
    _mm512_storeu_ps(row + j, _mm512_mul_ps(_mm512_loadu_ps(row + j), inverse));
}

/// out[r][16 V] of four rows of probabilities: their means of values.
template <int V>
RC3_AVX512_ATTENTION inline void means_avx512(const float* rows, std::int64_t columns, const float* values,
                                              std::int64_t stride, std::int64_t length, float* const* out) {
  __m512 sum[4][V];
  for (auto& row : sum)
    for (auto& s : row) s = _mm512_setzero_ps();
  for (std::int64_t j = 0; j < length; ++j, values += stride) {
    __m512 value[V];
    for (int v = 0; v < V; ++v) value[v] = _mm512_loadu_ps(values + 16 * v);
    for (int r = 0; r < 4; ++r) {
      const __m512 p = _mm512_set1_ps(rows[r * columns + j]);
      for (int v = 0; v < V; ++v) sum[r][v] = _mm512_fmadd_ps(p, value[v], sum[r][v]);
    }
  }
  for (int r = 0; r < 4; ++r)
    for (int v = 0; v < V; ++v) _mm512_storeu_ps(out[r] + 16 * v, sum[r][v]);
}

/// Scaled dot-product attention of one head.
/// @param length  tokens, > 0
/// @param width   of the head, a multiple of 16
/// @param buffer  of this thread
RC3_AVX512_ATTENTION inline void attend_avx512(const HeadView& head, std::int64_t length, std::int64_t width,
                                               float scale, std::vector<float>& buffer) {
  const auto columns = (length + 15) / 16 * 16;
  buffer.resize(static_cast<std::size_t>((width + 4) * columns));
  float* keys = buffer.data();
  float* scores = keys + width * columns;
  for (std::int64_t j = 0; j < columns; j += 16) {
    alignas(64) std::int32_t at[16];
    for (std::int64_t k = 0; k < 16; ++k)  // columns of padding: the last key
      at[k] = static_cast<std::int32_t>(std::min(j + k, length - 1) * head.key_stride);
    const __m512i places = _mm512_load_si512(at);
    for (std::int64_t i = 0; i < width; ++i)
      _mm512_storeu_ps(keys + i * columns + j,
                       _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xFFFF, places, head.key + i, 4));
  }
  for (std::int64_t first = 0; first < length; first += 4) {
    const float* queries[4];
    float* out[4];
    for (std::int64_t r = 0; r < 4; ++r) {  // beyond the last row: the last once more
      const auto i = std::min(first + r, length - 1);
      queries[r] = head.query + i * head.query_stride;
      out[r] = head.out + i * head.out_stride;
    }
    std::int64_t j = 0;
    for (; j + 64 <= columns; j += 64) scores_avx512<4>(queries, keys + j, columns, width, scores + j);
    for (; j + 32 <= columns; j += 32) scores_avx512<2>(queries, keys + j, columns, width, scores + j);
    for (; j < columns; j += 16) scores_avx512<1>(queries, keys + j, columns, width, scores + j);
    for (int r = 0; r < 4; ++r) softmax_avx512(scores + r * columns, length, columns, scale);
    std::int64_t i = 0;
    for (; i + 32 <= width; i += 32) {
      means_avx512<2>(scores, columns, head.value + i, head.value_stride, length, out);
      for (auto& o : out) o += 32;
    }
    for (; i < width; i += 16) {
      means_avx512<1>(scores, columns, head.value + i, head.value_stride, length, out);
      for (auto& o : out) o += 16;
    }
  }
}

}  // namespace rc3::nn::detail
