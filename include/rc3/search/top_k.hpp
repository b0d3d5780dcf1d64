#pragma once
/// Exact search: the k best of all stored vectors. Needs Eigen (Debian: libeigen3-dev): link rc3::eigen beside
/// rc3::light.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "rc3/core/error.hpp"
#include "rc3/search/storage.hpp"

namespace rc3::search {

/// Predicate on names: true for a vector that may be found. Several threads call it at once.
using Filter = std::function<bool(std::string_view name)>;

/// Stored vectors, by reference.
struct VectorTable {
  Storage storage = Storage::float32;
  std::size_t dimension = 0;
  const std::byte* vectors = nullptr;         ///< elements [names.size(), dimension], aligned
  std::span<const float> scales;              ///< one a vector; empty for float32
  std::span<const std::string* const> names;  ///< all different
  std::string_view origin = "index";          ///< name of the file or index in errors
};

/// Row of a VectorTable and its cosine.
struct Scored {
  float score;
  std::size_t row;
};

namespace detail {

/// Sum of q_i r_i. Products of floats are exact in double and the order of the sum is fixed, so neither the blocks of a
/// search nor fused multiply-add change a bit of it.
template <class T>
double dot(const float* q, const T* r, std::size_t n) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += double{q[i + j]} * double{value_of(r[i + j])};
  for (std::size_t j = 0; i < n; ++i, ++j) sums[j] += double{q[i]} * double{value_of(r[i])};
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Bound of |float product - score| for unit vectors: (n + 16) u with u = 2^-24, and a hundredth for the products of
/// errors. A float sum of n products in any order errs by at most n u / (1 - n u) sum |q_i r_i| <= n u / (1 - n u);
/// 16 covers the norms, the scale and the rounding of the score. Source: Higham, "Accuracy and Stability of Numerical
/// Algorithms", 2002, section 3.1.
inline float product_error(std::size_t n) { return static_cast<float>((static_cast<double>(n) + 16) * 0x1.03p-24); }

/// The k best rows so far.
class Best {
 public:
  Best(std::size_t k, const VectorTable& table) : k_(k), table_(&table) {}

  /// Whether @p a precedes @p b: higher score first, equal ones by name.
  bool before(const Scored& a, const Scored& b) const {
    return a.score != b.score ? a.score > b.score : *table_->names[a.row] < *table_->names[b.row];
  }
  bool full() const { return heap_.size() == k_; }
  /// Score of the k-th best; minus infinity below k rows.
  float worst() const { return full() ? heap_.front().score : -std::numeric_limits<float>::infinity(); }

  void add(const Scored& row) {
    const auto order = [this](const Scored& a, const Scored& b) { return before(a, b); };
    if (full()) {
      if (!before(row, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), order);
      heap_.back() = row;
    } else {
      heap_.push_back(row);
    }
    std::push_heap(heap_.begin(), heap_.end(), order);
  }
  void add(const Best& other) {
    for (const Scored& row : other.heap_) add(row);
  }
  /// Best first.
  std::vector<Scored> sorted() const {
    std::vector<Scored> rows = heap_;
    std::sort(rows.begin(), rows.end(), [this](const Scored& a, const Scored& b) { return before(a, b); });
    return rows;
  }

 private:
  std::size_t k_;
  const VectorTable* table_;
  std::vector<Scored> heap_;  ///< the worst at the front
};

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One thread's part of a search. A float product of a block of vectors and a block of queries excludes nearly all
/// rows; those within its error of the k best get their exact score.
template <class T>
class BlockSearch {
 public:
  static constexpr std::size_t max_rows = 1024;
  static constexpr std::size_t max_queries = 64;

  /// Rows a block: at most 1 MiB of floats, so that a block stays in the processor's cache.
  static std::size_t block_rows(std::size_t dimension) {
    return std::clamp<std::size_t>((std::size_t{1} << 18) / dimension, 1, max_rows);
  }

  BlockSearch(const VectorTable& table, const T* elements, const Matrix& queries, const Filter& filter, std::size_t k)
      : table_(table),
        elements_(elements),
        queries_(queries),
        filter_(filter),
        error_(product_error(table.dimension)),
        best_(static_cast<std::size_t>(queries.rows()), Best(k, table)) {}

  void rows(std::size_t begin, std::size_t end) {
    const auto d = static_cast<Eigen::Index>(table_.dimension), n = static_cast<Eigen::Index>(end - begin);
    const Eigen::Map<const Matrix> block(floats(begin, end), n, d);
    for (Eigen::Index q = 0; q < queries_.rows(); q += max_queries) {
      const Eigen::Index count = std::min<Eigen::Index>(max_queries, queries_.rows() - q);
      products_.resize(n, count);
      products_.noalias() = block * queries_.middleRows(q, count).transpose();
      for (Eigen::Index i = 0; i < count; ++i) collect(begin, q + i, products_.col(i));
    }
  }

  const std::vector<Best>& best() const { return best_; }

 private:
  const float* floats(std::size_t begin, std::size_t end) {
    const T* from = elements_ + begin * table_.dimension;
    if constexpr (std::is_same_v<T, float>) {
      return from;
    } else {
      const std::size_t n = (end - begin) * table_.dimension;
      floats_.resize(n);
      to_floats(from, floats_.data(), n);
      return floats_.data();
    }
  }

  template <class Column>
  void collect(std::size_t begin, Eigen::Index query, const Column& products) {
    Best& best = best_[static_cast<std::size_t>(query)];
    for (Eigen::Index i = 0; i < products.size(); ++i) {
      const std::size_t row = begin + static_cast<std::size_t>(i);
      const float scale = table_.scales.empty() ? 1.0f : table_.scales[row];
      if (products[i] * scale < best.worst() - error_) continue;  // a NaN stays, for the error below
      const std::string& name = *table_.names[row];
      if (filter_ && !filter_(name)) continue;
      const double sum = dot(queries_.row(query).data(), elements_ + row * table_.dimension, table_.dimension);
      require(std::isfinite(sum), table_.origin, ": vector of \"", name,
              "\": has a number that is not finite; the file ", "is damaged: make the index again");
      best.add({static_cast<float>(std::clamp(sum * double{scale}, -1.0, 1.0)), row});
    }
  }

  const VectorTable& table_;
  const T* elements_;
  const Matrix& queries_;
  const Filter& filter_;
  float error_;
  std::vector<Best> best_;
  std::vector<float> floats_;
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic> products_;
};

/// Runs @p work on @p threads threads, this one included. @throws what the first failing one threw
template <class Work>
void on_threads(std::size_t threads, const Work& work) {
  std::mutex mutex;
  std::exception_ptr error;
  const auto guarded = [&] {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(guarded);
    guarded();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

/// The @p k best rows of @p table for each query, best first.
///
/// Memory beside the result: a block of at most 1 MiB, its products, and k rows a query, for each thread.
/// The result is bit for bit the same for any number of queries and threads and any order of rows.
/// @param queries  unit vectors, float [Q, dimension]
/// @param k        rows a query, >= 1
/// @param filter   empty: every row
/// @param threads  >= 1
/// @throws rc3::Error if a stored vector that may be among the best is not finite; what @p filter throws
inline std::vector<std::vector<Scored>> top_k(const VectorTable& table, const detail::Matrix& queries, std::size_t k,
                                              const Filter& filter, std::size_t threads) {
  return with_elements(table.storage, table.vectors, [&]<class T>(const T* elements) {
    using Search = detail::BlockSearch<T>;
    const std::size_t size = table.names.size(), block = Search::block_rows(table.dimension);
    std::vector<detail::Best> best(static_cast<std::size_t>(queries.rows()), detail::Best(std::min(k, size), table));
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    const auto work = [&] {
      Search search(table, elements, queries, filter, std::min(k, size));
      try {
        for (std::size_t begin; !stop && (begin = next.fetch_add(block)) < size;)
          search.rows(begin, std::min(begin + block, size));
      } catch (...) {
        stop = true;
        throw;
      }
      const std::lock_guard lock(mutex);
      for (std::size_t q = 0; q < best.size(); ++q) best[q].add(search.best()[q]);
    };
    if (size > 0) detail::on_threads(std::min(threads, (size + block - 1) / block), work);
    std::vector<std::vector<Scored>> result;
    result.reserve(best.size());
    for (const detail::Best& rows : best) result.push_back(rows.sorted());
    return result;
  });
}

}  // namespace rc3::search
