#pragma once
/// Screening of stored rows: which may be among the best of a query, by float products. Needs Eigen.
///
/// The products use AVX-512 or AVX2 with FMA where the processor has them, whatever the compiler's flags, and Eigen
/// elsewhere.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "rc3/search/storage.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include "rc3/search/screen_x86.hpp"
#endif

namespace rc3::search::detail {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Instructions of the products. Results of a search are the same with each.
enum class Instructions { any, avx2, avx512 };

/// The best that this processor has.
inline Instructions best_instructions() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const Instructions best =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? Instructions::avx512
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")       ? Instructions::avx2
                                                                              : Instructions::any;
  return best;
#else
  return Instructions::any;
#endif
}

/// Float product of a row and a query.
template <class T>
float product(const T* row, const float* query, std::size_t dimension) {
#if defined(__x86_64__) && defined(__GNUC__)
  float result = 0;
  switch (best_instructions()) {
    case Instructions::avx512:
      products_avx512(row, 1, dimension, query, &result);
      return result;
    case Instructions::avx2:
      products_avx2(row, 1, dimension, query, &result);
      return result;
    case Instructions::any:
      break;
  }
#endif
  float sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= dimension; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += value_of(row[i + j]) * query[i + j];
  for (std::size_t j = 0; i < dimension; ++i, ++j) sums[j] += value_of(row[i]) * query[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Up to 64 queries, as a screen of rows.
class Screen {
 public:
  static constexpr std::size_t max_queries = 64;

  /// @param queries  float [count, dimension], row by row; count in [1, 64]
  Screen(const float* queries, std::size_t count, std::size_t dimension,
         Instructions instructions = best_instructions())
      : count_(count), dimension_(dimension), instructions_(instructions) {
    if (count < few) {
      queries_.assign(queries, queries + count * dimension);
      return;
    }
    // By element: a vector of the processor holds one element of 16 queries. Queries beyond the last are zero.
    columns_ = (count + width - 1) / width * width;
    queries_.resize(columns_ * dimension);
    for (std::size_t q = 0; q < count; ++q)
      for (std::size_t i = 0; i < dimension; ++i) queries_[i * columns_ + q] = queries[q * dimension + i];
  }

  /// Sets bit q of masks[i] unless the product of row i and query q, times the row's scale, is below thresholds[q]. The
  /// product is a float sum in any order; that of a row with a NaN is not below.
  /// @param rows        elements [n, dimension]
  /// @param scales      one a row; null: 1
  /// @param thresholds  of each query
  template <class T>
  void operator()(const T* rows, const float* scales, std::size_t n, const float* thresholds, std::uint64_t* masks) {
    std::fill_n(masks, n, std::uint64_t{0});
    if (count_ < few) {
      for (std::size_t q = 0; q < count_; ++q) one(rows, scales, n, q, thresholds[q], masks);
      return;
    }
    std::copy_n(thresholds, count_, thresholds_);
    many(floats(rows, n), scales, n, masks);
    const std::uint64_t all = count_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count_) - 1;
    for (std::size_t i = 0; i < n; ++i) masks[i] &= all;
  }

 private:
  static constexpr std::size_t width = 16;
  static constexpr std::size_t few = 4;  ///< fewer queries are taken one by one: rows stay in the cache

  template <class T>
  void one(const T* rows, const float* scales, std::size_t n, std::size_t q, float threshold, std::uint64_t* masks) {
    const float* query = queries_.data() + q * dimension_;
    products_.resize(n);
#if defined(__x86_64__) && defined(__GNUC__)
    if (instructions_ == Instructions::avx512)
      products_avx512(rows, n, dimension_, query, products_.data());
    else if (instructions_ == Instructions::avx2)
      products_avx2(rows, n, dimension_, query, products_.data());
    else
#endif
      Eigen::Map<Eigen::VectorXf>(products_.data(), static_cast<Eigen::Index>(n)).noalias() =
          matrix(floats(rows, n), n, dimension_) *
          Eigen::Map<const Eigen::VectorXf>(query, static_cast<Eigen::Index>(dimension_));
    for (std::size_t i = 0; i < n; ++i)
      if (!(products_[i] * (scales != nullptr ? scales[i] : 1.0f) < threshold)) masks[i] |= std::uint64_t{1} << q;
  }

  void many(const float* rows, const float* scales, std::size_t n, std::uint64_t* masks) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (instructions_ == Instructions::avx512)
      return screen_avx512(rows, scales, n, dimension_, queries_.data(), columns_, thresholds_, masks);
    if (instructions_ == Instructions::avx2)
      return screen_avx2(rows, scales, n, dimension_, queries_.data(), columns_, thresholds_, masks);
#endif
    products_.resize(n * columns_);
    Eigen::Map<Matrix>(products_.data(), static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(columns_)).noalias() =
        matrix(rows, n, dimension_) * matrix(queries_.data(), dimension_, columns_);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t q = 0; q < count_; ++q)
        if (!(products_[i * columns_ + q] * (scales != nullptr ? scales[i] : 1.0f) < thresholds_[q]))
          masks[i] |= std::uint64_t{1} << q;
  }

  static Eigen::Map<const Matrix> matrix(const float* values, std::size_t rows, std::size_t columns) {
    return {values, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
  }

  const float* floats(const float* rows, std::size_t) { return rows; }
  template <class T>
  const float* floats(const T* rows, std::size_t n) {
    floats_.resize(n * dimension_);
#if defined(__x86_64__) && defined(__GNUC__)
    if (instructions_ == Instructions::avx512) {
      floats_avx512(rows, floats_.data(), floats_.size());
      return floats_.data();
    }
#endif
    to_floats(rows, floats_.data(), floats_.size());
    return floats_.data();
  }

  std::size_t count_, dimension_, columns_ = 0;
  Instructions instructions_;
  std::vector<float> queries_;
  float thresholds_[max_queries] = {};
  std::vector<float> floats_, products_;
};

}  // namespace rc3::search::detail
