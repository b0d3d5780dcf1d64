#pragma once
/// Vector index, without LibTorch. Needs Eigen (Debian: libeigen3-dev): link rc3::eigen beside rc3::light.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/fwd.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/mapping.hpp"
#include "rc3/search/concept.hpp"
#include "rc3/search/file_state.hpp"
#include "rc3/search/index_file.hpp"
#include "rc3/search/storage.hpp"
#include "rc3/search/top_k.hpp"

namespace rc3::search {

/// Storage, threads and owner of an index.
struct IndexOptions {
  Storage storage = Storage::float32;  ///< of the vectors, see Storage; rounded ones save memory and cost precision
  int threads = 1;                     ///< threads of a search, >= 1
  std::string model = {};  ///< name of the model whose vectors these are, UTF-8; saved, and compared by load()
  std::string model_directory = {};  ///< where a program finds that model, UTF-8; saved, compared by nothing
};

/// Name of a found vector and its cosine with the query, in [-1, 1].
struct Hit {
  float score = 0;   ///< cosine, in [-1, 1]
  std::string name;  ///< as it was added
};

/// Index of named vectors.
///
/// Exact (rc3::search::Index): search() compares the query with each vector. Equal content gives equal results, bit for
/// bit, whatever the order of adding, the number of threads and the number of queries of a batch. Other policies say
/// what they find. Equal scores are ordered by name.
/// Memory: D elements of the storage, a scale and the name for each vector, and what the policy keeps.
/// Several threads may search at once; a change must have the index alone.
/// @tparam Search  Exact, or Hnsw of rc3/search/hnsw.hpp
template <class Search>
class BasicIndex {
 public:
  /// @param dimension  numbers a vector, in [1, 65536]
  /// @throws rc3::Error for a dimension or number of threads out of range, or a model's name that is not UTF-8
  explicit BasicIndex(std::int64_t dimension, IndexOptions options = {}, typename Search::Options search = {})
      : dimension_(dimension), options_(std::move(options)), search_(std::move(search)) {
    require(dimension >= 1 && dimension <= max_dimension, "search::Index: dimension must be in [1, ", max_dimension,
            "], is ", dimension);
    require_utf8(options_.model, "search::Index: option model");
    require_utf8(options_.model_directory, "search::Index: option model_directory");
    set_threads(options_.threads);
  }
  // Rows refer to the keys of the map, which keep their places when it is moved.
  BasicIndex(BasicIndex&&) = default;
  BasicIndex& operator=(BasicIndex&&) = default;

  std::int64_t dimension() const { return dimension_; }                           ///< D, in [1, 65536]
  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }  ///< number of vectors
  bool empty() const { return names_.empty(); }
  Storage storage() const { return options_.storage; }         ///< of the vectors
  const std::string& model() const { return options_.model; }  ///< whose vectors these are; may be empty
  const std::string& model_directory() const { return options_.model_directory; }  ///< where it was; may be empty
  const Search& policy() const { return search_; }  ///< for example to read Hnsw's options
  /// Whether a vector has this name, compared byte by byte.
  bool contains(std::string_view name) const { return rows_.find(name) != rows_.end(); }
  /// Names of all vectors, sorted; valid until a change of the index.
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> sorted;
    sorted.reserve(names_.size());
    for (const std::string* name : names_) sorted.push_back(*name);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

  /// @param threads  threads of a search, >= 1
  /// @throws rc3::Error for a number below 1
  void set_threads(int threads) {
    require(threads >= 1, "search::Index: threads must be >= 1, is ", threads);
    options_.threads = threads;
  }

  /// Allocates for @p size vectors at once.
  /// @throws rc3::Error for a negative size
  void reserve(std::int64_t size) {
    require(size >= 0, "search::Index: cannot reserve ", size, " vectors");
    own();
    rows_.reserve(static_cast<std::size_t>(size));
    names_.reserve(static_cast<std::size_t>(size));
    bytes_.reserve(static_cast<std::size_t>(size) * row_bytes());
    search_.reserve(table(), static_cast<std::size_t>(size));
  }

  /// Adds a vector, divided by its norm.
  /// @param name    UTF-8; new to the index
  /// @param vector  float [D], finite, not all zero
  /// @throws rc3::Error if the name is in the index already or not UTF-8, or the vector has another size, a number that
  ///         is not finite, or only zeros
  void add(std::string_view name, std::span<const float> vector) {
    require_utf8(name, join("search::Index: name \"", name, '"'));
    require(!contains(name), "search::Index: \"", name, "\" is in the index already; replace() changes its vector");
    const std::vector<float> unit = normalized(vector, join('"', name, '"'));
    own();
    const std::size_t row = names_.size();
    bytes_.resize((row + 1) * row_bytes());
    names_.push_back(&rows_.emplace(std::string(name), row).first->first);
    if (scaled()) scales_.push_back(1);
    store(row, unit);
    search_.entered(table(), row);
  }

  /// Replaces the vector of @p name. @throws rc3::Error if it is not in the index, or as add() does
  void replace(std::string_view name, std::span<const float> vector) {
    const std::size_t row = row_of(name);
    const std::vector<float> unit = normalized(vector, join('"', name, '"'));
    own();
    search_.leaving(table(), row);
    store(row, unit);
    search_.entered(table(), row);
  }

  /// Removes @p name. @throws rc3::Error if it is not in the index
  void remove(std::string_view name) {
    const std::size_t row = row_of(name), last = names_.size() - 1;
    own();
    search_.leaving(table(), row);
    rows_.erase(rows_.find(name));
    if (row != last) {  // the last one takes the place: results do not depend on places
      std::memcpy(&bytes_[row * row_bytes()], &bytes_[last * row_bytes()], row_bytes());
      names_[row] = names_[last];
      rows_.find(*names_[row])->second = row;
      if (scaled()) scales_[row] = scales_[last];
    }
    names_.pop_back();
    bytes_.resize(last * row_bytes());
    if (scaled()) scales_.pop_back();
    search_.moved(table(), last, row);
  }

  /// Stored vector of @p name, as float [D] of norm 1. @throws rc3::Error if it is not in the index
  std::vector<float> vector(std::string_view name) const { return vector_of(table(), row_of(name)); }

  /// The @p k vectors of highest cosine with @p query, best first; all if the index has fewer.
  /// @param query   float [D], of any norm but 0
  /// @param k       >= 1
  /// @param filter  predicate on names: only vectors for which it is true. With several threads it is called by all
  ///                of them at once
  /// @throws rc3::Error if the query's size is not D, a number is not finite, or all are zero
  std::vector<Hit> search(std::span<const float> query, std::int64_t k, const Filter& filter = {}) const {
    check_size(query.size(), "query");
    return std::move(search_batch(query, k, filter).front());
  }

  /// search() for each of several queries; faster than one by one.
  /// @param queries  float [Q, D], row by row
  /// @throws rc3::Error as search(), naming the query by its index
  std::vector<std::vector<Hit>> search_batch(std::span<const float> queries, std::int64_t k,
                                             const Filter& filter = {}) const {
    require(k >= 1, "search::Index: k must be >= 1, is ", k);
    const std::size_t d = static_cast<std::size_t>(dimension_), count = queries.size() / d;
    require(queries.size() % d == 0, "search::Index: queries: ", queries.size(), " numbers, no multiple of ", d,
            ", the dimension of the index");
    detail::Matrix units(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(d));
    for (std::size_t q = 0; q < count; ++q) {
      const std::vector<float> unit = normalized(queries.subspan(q * d, d), count == 1 ? "query" : join("query ", q));
      std::copy(unit.begin(), unit.end(), units.data() + q * d);
    }
    std::vector<std::vector<Hit>> hits(count);
    const auto best =
        search_.top_k(table(), units, static_cast<std::size_t>(k), filter, static_cast<std::size_t>(options_.threads));
    for (std::size_t q = 0; q < count; ++q)
      for (const Scored& scored : best[q]) hits[q].push_back({scored.score, *names_[scored.row]});
    return hits;
  }

  /// Writes the index, complete or not at all. Equal content gives equal bytes. Of several writers of one path, the
  /// last to finish wins; no file is ever a mix. @throws rc3::Error if the disk is full or the folder not writable
  /// @param files  states of the files that the vectors are from, saved with them
  void save(const std::filesystem::path& path, const FileStates& files = {}) const {
    std::vector<std::size_t> order(names_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return *names_[a] < *names_[b]; });
    struct Row {
      const std::string* name;
      float scale;
      const std::byte* elements;
    };
    write_index(
        path, dimension_, storage(), model(), model_directory(), order.size(), files,
        [&](std::size_t i) {
          return Row{names_[order[i]], scaled() ? scales_[order[i]] : 1, elements(order[i])};
        },
        search_.tensors(table(), order));
  }

  /// Index in the file @p path. Its vectors are mapped: read from the disk on first use, and copied into memory by the
  /// first change. io::Mapping states the restrictions on the file; save() to the same path is safe.
  /// @param expected_model  model that the index must have; empty: any
  /// @param threads         as IndexOptions::threads
  /// @param files           receives the states that were saved with the vectors; null: they are left out
  /// @param search          of the policy
  /// @throws rc3::Error naming the file and the field: truncated, damaged, of a newer version or another model
  static BasicIndex load(const std::filesystem::path& path, std::string_view expected_model = {}, int threads = 1,
                         FileStates* files = nullptr, typename Search::Options search = {}) {
    auto mapping = io::Mapping::of(io::InputFile(path));
    IndexContent content = parse_index({mapping->data(), mapping->size()}, path.string(), expected_model);
    BasicIndex index(content.dimension,
                     {content.storage, threads, std::move(content.model), std::move(content.model_directory)},
                     std::move(search));
    index.origin_ = path.string();
    index.rows_.reserve(content.names.size());
    index.names_.reserve(content.names.size());
    if (files != nullptr) files->clear();
    for (std::size_t i = 0; files != nullptr && i < content.files.size(); ++i)
      if (content.files[i].size >= 0) files->emplace(content.names[i], content.files[i]);
    for (std::string& name : content.names) {
      const auto [entry, added] = index.rows_.emplace(std::move(name), index.names_.size());
      require(added, path.string(), ": tensor \"names\": \"", entry->first, "\" is there twice");
      index.names_.push_back(&entry->first);
    }
    index.scales_ = std::move(content.scales);
    index.mapped_ = content.vectors;
    index.mapping_ = std::move(mapping);
    index.search_.load(index.table(), content, index.origin_);
    return index;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  bool scaled() const { return storage_row(storage()).scaled; }
  std::size_t row_bytes() const { return static_cast<std::size_t>(dimension_) * storage_row(storage()).bytes; }
  VectorTable table() const {
    return {storage(), static_cast<std::size_t>(dimension_), elements(0), scales_, names_, origin_};
  }
  const std::byte* elements(std::size_t row) const { return (mapping_ ? mapped_ : bytes_.data()) + row * row_bytes(); }

  std::size_t row_of(std::string_view name) const {
    const auto found = rows_.find(name);
    require(found != rows_.end(), "search::Index: \"", name, "\" is not in the index; add() adds it");
    return found->second;
  }
  void check_size(std::size_t size, std::string_view what) const {
    require(size == static_cast<std::size_t>(dimension_), "search::Index: ", what, ": has ", size,
            " numbers; the index has dimension ", dimension_, "; use the model that the index was made with",
            model().empty() ? "" : ": ", model());
  }
  std::vector<float> normalized(std::span<const float> vector, const std::string& what) const {
    check_size(vector.size(), what);
    return unit_vector(vector, join("search::Index: ", what));
  }
  void store(std::size_t row, const std::vector<float>& unit) {
    const float scale = store_vector(storage(), unit, &bytes_[row * row_bytes()]);
    if (scaled()) scales_[row] = scale;
  }
  /// Copies mapped vectors into memory of the index.
  void own() {
    if (!mapping_) return;
    if (!names_.empty()) bytes_.assign(mapped_, mapped_ + names_.size() * row_bytes());
    mapping_.reset();
  }

  std::int64_t dimension_;
  IndexOptions options_;
  Search search_;
  std::string origin_ = "search::Index";                                      ///< in errors: the file it is from
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> rows_;  ///< row of each name
  std::vector<const std::string*> names_;                                     ///< key of rows_ for each row
  std::vector<std::byte> bytes_;                                              ///< elements, unless mapped
  std::vector<float> scales_;
  std::shared_ptr<io::Mapping> mapping_;
  const std::byte* mapped_ = nullptr;
};

}  // namespace rc3::search
