#pragma once
/// Approximate search by a graph of neighbours (HNSW: Malkov and Yashunin, "Efficient and robust approximate nearest
/// neighbor search using hierarchical navigable small world graphs", 2018). Needs hnswlib and Eigen (Debian:
/// libhnswlib-dev, libeigen3-dev): link rc3::hnswlib beside rc3::light.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/random.hpp"
#include "rc3/search/concept.hpp"
#include "rc3/search/hnsw_graph.hpp"
#include "rc3/search/index.hpp"
#include "rc3/search/index_file.hpp"
#include "rc3/search/screen.hpp"
#include "rc3/search/top_k.hpp"

namespace rc3::search {

/// Links and widths of the graph: recall against memory and time.
struct HnswOptions {
  /// Neighbours of a vector, in [2, 128]; twice as many in the lowest layer. More: better recall, memory, time.
  std::int64_t links = 16;
  std::int64_t build_width = 200;  ///< candidates while a vector is added, in [links, 4096]
  std::int64_t width = 128;        ///< candidates while a query is searched, in [1, 65536]; never below k

  /// @throws rc3::Error for an option outside its range, with its value
  void check() const {
    require(links >= 2 && links <= 128, "search::Hnsw: links must be in [2, 128], is ", links);
    require(build_width >= links && build_width <= 4096, "search::Hnsw: build_width must be in [links, 4096], is ",
            build_width);
    require(width >= 1 && width <= 65'536, "search::Hnsw: width must be in [1, 65536], is ", width);
  }
};

/// Graph of neighbours: a query is compared with some thousand vectors, not with each. Some of the best may be missed;
/// those that are found have the exact score and order.
///
/// The graph has no copy of the vectors. It depends on the order of changes, not on threads: vectors are added one by
/// one. A removed vector stays in the graph, to search through, until half of the graph is such; then the graph is made
/// again. A filter that few vectors pass, and a graph with too few within reach, end in an exact search: as many
/// vectors are found as Exact finds.
/// Memory beside the vectors: about 16 links + 60 bytes a vector, and 4 D bytes a removed one.
class Hnsw {
 public:
  using Options = HnswOptions;

  /// @throws rc3::Error as HnswOptions::check()
  explicit Hnsw(Options options = {}) : options_(options) { options_.check(); }

  /// With the `links` and `build_width` of the file's graph after load().
  const Options& options() const { return options_; }

  /// Memory for @p size vectors at once. An index that is filled without it grows by steps.
  void reserve(const VectorTable& table, std::size_t size) { graph(table).reserve(size); }

  /// Links the vector of @p row to neighbours among those that a search of width `build_width` finds.
  void entered(const VectorTable& table, std::size_t row) {
    detail::HnswGraph& graph = this->graph(table);
    if (row == elements_.size()) elements_.push_back(0);
    elements_[row] = graph.add(static_cast<std::int64_t>(row));
  }

  /// Marks the vector of @p row as removed. The graph keeps a copy to search through.
  void leaving(const VectorTable& table, std::size_t row) { graph(table).bury(elements_[row], row); }

  /// Row @p to, which left, is taken by row @p from, the last one; without another, both are the last.
  void moved(const VectorTable& table, std::size_t from, std::size_t to) {
    detail::HnswGraph& graph = this->graph(table);
    if (from != to) {
      elements_[to] = elements_[from];
      graph.set_slot(elements_[to], static_cast<std::int64_t>(to));
    }
    elements_.pop_back();
    if (graph.buried() > elements_.size()) make(table);
  }

  /// The best rows of each query, best first. Each thread takes a query at a time.
  /// @param queries  unit vectors, float [Q, D], row by row
  /// @param k        rows a query, >= 1
  /// @param threads  >= 1
  /// @throws rc3::Error if a vector among those compared is not finite; what @p filter throws
  std::vector<std::vector<Scored>> top_k(const VectorTable& table, const detail::Matrix& queries, std::size_t k,
                                         const Filter& filter, std::size_t threads) const {
    const auto count = static_cast<std::size_t>(queries.rows());
    std::vector<std::vector<Scored>> found(count);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    const auto work = [&] {
      try {
        for (std::size_t q; !stop && (q = next.fetch_add(1)) < count;)
          found[q] = one(table, queries.row(static_cast<Eigen::Index>(q)), std::min(k, table.names.size()), filter);
      } catch (...) {
        stop = true;
        throw;
      }
    };
    if (count > 0 && !table.names.empty()) detail::on_threads(std::min(threads, count), work);
    return found;
  }

  /// @return tensors of the graph, for rows in the order of @p order; none while there is no graph
  std::vector<IndexTensor> tensors(const VectorTable& table, std::span<const std::size_t> order) const {
    if (!graph_) return {};
    return graph_->tensors(table, order, static_cast<std::uint32_t>(options_.links),
                           static_cast<std::uint32_t>(options_.build_width));
  }

  /// Graph of a file; if it has none, the graph is made. `links` and `build_width` are those of the file's graph.
  void load(const VectorTable& table, const IndexContent& content, std::string_view file) {
    graph_.reset();
    if (content.tensors.empty()) return make(table);
    const detail::HnswContent graph = detail::HnswContent::of(content, table.names.size(), file);
    options_.links = graph.links;
    options_.build_width = graph.build_width;
    this->graph(table).restore(graph);
    elements_.resize(table.names.size());
    for (std::size_t e = 0; e < graph.slots.size(); ++e)
      if (graph.slots[e] >= 0) elements_[static_cast<std::size_t>(graph.slots[e])] = static_cast<std::uint32_t>(e);
  }

 private:
  detail::HnswGraph& graph(const VectorTable& table) {
    if (!graph_)
      graph_ = std::make_unique<detail::HnswGraph>(table.dimension, static_cast<std::size_t>(options_.links),
                                                   static_cast<std::size_t>(options_.build_width));
    graph_->attach(table);
    return *graph_;
  }

  /// Makes the graph of the rows, in their order.
  void make(const VectorTable& table) {
    graph_.reset();
    elements_.clear();
    if (!table.names.empty()) reserve(table, table.names.size());
    for (std::size_t row = 0; row < table.names.size(); ++row) entered(table, row);
  }

  std::vector<Scored> one(const VectorTable& table, const detail::Matrix& query, std::size_t k,
                          const Filter& filter) const {
    const std::size_t size = table.names.size(), all = graph_->size();
    // Wider by the share of removed vectors, which are found and left out.
    std::size_t width = std::max(k, static_cast<std::size_t>(options_.width));
    for (; width < size / 4; width *= 4) {
      detail::Best best(k, table);
      with_elements(table.storage, table.vectors, [&](const auto* elements) {
        for (const std::int64_t slot : graph_->nearest(table, query.data(), width * all / size)) {
          if (slot < 0) continue;
          const auto row = static_cast<std::size_t>(slot);
          if (filter && !filter(*table.names[row])) continue;
          best.add({detail::exact_score(table, elements, row, query.data()), row});
        }
      });
      if (best.full()) return best.sorted();
    }
    return std::move(search::top_k(table, query, k, filter, 1).front());
  }

  Options options_;
  std::unique_ptr<detail::HnswGraph> graph_;
  std::vector<std::uint32_t> elements_;  ///< element of the graph of each row
};
static_assert(Policy<Hnsw>);

}  // namespace rc3::search
