#pragma once
/// What an index asks of a way to search. Needs Eigen.

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "rc3/search/index_file.hpp"
#include "rc3/search/top_k.hpp"

namespace rc3::search {

/// Way to search the vectors of a BasicIndex. The index stores the vectors; a policy keeps what it needs beside them,
/// by row. A change is told to it at once: after entered(row), before leaving(row), and after moved(from, to).
template <class S>
concept Policy = std::movable<S> && std::constructible_from<S, typename S::Options> &&
    requires(S& search, const S& fixed, const VectorTable& table, std::size_t row, const detail::Matrix& queries,
             const Filter& filter, std::span<const std::size_t> order, const IndexContent& content,
             std::string_view file) {
  search.reserve(table, row);
  search.entered(table, row);
  search.leaving(table, row);
  search.moved(table, row, row);
  { fixed.top_k(table, queries, row, filter, row) } -> std::same_as<std::vector<std::vector<Scored>>>;
  { fixed.tensors(table, order) } -> std::same_as<std::vector<IndexTensor>>;  // saved with the index
  search.load(table, content, file);                                          // from them, or from the table alone
};

/// Exact search, which keeps nothing beside the vectors.
class Exact {
 public:
  /// None.
  struct Options {};
  explicit Exact(Options = {}) {}
  void reserve(const VectorTable&, std::size_t) {}             ///< does nothing
  void entered(const VectorTable&, std::size_t) {}             ///< does nothing
  void leaving(const VectorTable&, std::size_t) {}             ///< does nothing
  void moved(const VectorTable&, std::size_t, std::size_t) {}  ///< does nothing
  /// @param queries  unit vectors, float [Q, D], row by row
  /// @param k        rows a query, >= 1
  /// @param threads  >= 1
  /// @return the k best rows of each query, best first; fewer if the index or the filter has fewer
  /// @throws rc3::Error as search::top_k
  std::vector<std::vector<Scored>> top_k(const VectorTable& table, const detail::Matrix& queries, std::size_t k,
                                         const Filter& filter, std::size_t threads) const {
    return search::top_k(table, queries, k, filter, threads);
  }
  /// @return none: the vectors are saved by the index
  std::vector<IndexTensor> tensors(const VectorTable&, std::span<const std::size_t>) const { return {}; }
  void load(const VectorTable&, const IndexContent&, std::string_view) {}  ///< does nothing
};
static_assert(Policy<Exact>);

}  // namespace rc3::search
