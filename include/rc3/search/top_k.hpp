#pragma once
/// Exact search: the k best of all stored vectors. Needs Eigen (Debian: libeigen3-dev): link rc3::eigen beside
/// rc3::light.

#include <algorithm>
#include <atomic>
#include <bit>
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
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "rc3/core/error.hpp"
#include "rc3/search/screen.hpp"
#include "rc3/search/storage.hpp"

namespace rc3::search {

/// Predicate on names: true for a vector that may be found. Several threads call it at once.
using Filter = std::function<bool(std::string_view name)>;

/// Stored vectors, by reference.
struct VectorTable {
  Storage storage = Storage::float32;         ///< element type of the vectors
  std::size_t dimension = 0;                  ///< D, numbers a vector
  const std::byte* vectors = nullptr;         ///< elements [names.size(), dimension], aligned
  std::span<const float> scales;              ///< one a vector; empty for float32
  std::span<const std::string* const> names;  ///< all different
  std::string_view origin = "index";          ///< name of the file or index in errors
};

/// Stored vector of @p row, as float [dimension] of norm 1.
inline std::vector<float> vector_of(const VectorTable& table, std::size_t row) {
  const float scale = table.scales.empty() ? 1.0f : table.scales[row];
  std::vector<float> values(table.dimension);
  with_elements(table.storage, table.vectors, [&](const auto* elements) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_of(elements[row * values.size() + i]) * scale;
  });
  return values;
}

/// Row of a VectorTable and its cosine.
struct Scored {
  float score;      ///< cosine, in [-1, 1]
  std::size_t row;  ///< index in VectorTable::names
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

/// Cosine of a row and a unit vector. @throws rc3::Error if the row has a number that is not finite
template <class T>
float exact_score(const VectorTable& table, const T* elements, std::size_t row, const float* query) {
  const double sum = dot(query, elements + row * table.dimension, table.dimension);
  require(std::isfinite(sum), table.origin, ": vector of \"", *table.names[row],
          "\": has a number that is not finite; the file is damaged: make the index again");
  const double scale = table.scales.empty() ? 1.0 : double{table.scales[row]};
  return static_cast<float>(std::clamp(sum * scale, -1.0, 1.0));
}

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

/// One thread's part of a search. A float product of a row and a query excludes nearly all rows; those within its error
/// of the k best get their exact score.
template <class T>
class BlockSearch {
 public:
  static constexpr std::size_t max_rows = 1024;

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
        best_(static_cast<std::size_t>(queries.rows()), Best(k, table)) {
    const auto count = static_cast<std::size_t>(queries.rows());
    for (std::size_t q = 0; q < count; q += Screen::max_queries)
      screens_.emplace_back(queries.data() + q * table.dimension, std::min(Screen::max_queries, count - q),
                            table.dimension);
  }

  /// Parts of a block grow with the rows seen: the k best of the first rows exclude most of the next.
  void rows(std::size_t begin, std::size_t end) {
    for (std::size_t part; begin < end; begin += part, seen_ += part) {
      part = std::min(end - begin, std::max(seen_, first_rows));
      for (std::size_t s = 0; s < screens_.size(); ++s) screen(begin, part, s);
    }
  }

  const std::vector<Best>& best() const { return best_; }

 private:
  static constexpr std::size_t first_rows = 24;

  void screen(std::size_t begin, std::size_t n, std::size_t s) {
    const std::size_t first = s * Screen::max_queries, count = std::min(Screen::max_queries, best_.size() - first);
    for (std::size_t q = 0; q < count; ++q) thresholds_[q] = best_[first + q].worst() - error_;
    screens_[s](elements_ + begin * table_.dimension, table_.scales.empty() ? nullptr : &table_.scales[begin], n,
                thresholds_, masks_);
    for (std::size_t i = 0; i < n; ++i)
      for (std::uint64_t mask = masks_[i]; mask != 0; mask &= mask - 1)
        add(begin + i, first + static_cast<std::size_t>(std::countr_zero(mask)));
  }

  void add(std::size_t row, std::size_t query) {
    if (filter_ && !filter_(*table_.names[row])) return;
    best_[query].add({exact_score(table_, elements_, row, queries_.row(static_cast<Eigen::Index>(query)).data()), row});
  }

  const VectorTable& table_;
  const T* elements_;
  const Matrix& queries_;
  const Filter& filter_;
  float error_;
  std::vector<Best> best_;
  std::vector<Screen> screens_;
  std::size_t seen_ = 0;
  float thresholds_[Screen::max_queries] = {};
  std::uint64_t masks_[max_rows] = {};
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
