#pragma once
/// Concepts of a data set, see docs/concepts/dataset.md. LibTorch-free.

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/data/example.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// Number of texts in each language.
using LanguageCounts = std::map<std::string, std::int64_t>;

/// A fixed list of items with random access from any thread: the requirement of the loader.
template <class D>
concept Indexed = requires(const D& data, std::int64_t i) {
  { data.name() } -> std::convertible_to<std::string_view>;
  { data.size() } -> std::same_as<std::int64_t>;
  data.read(i);
};

/// Type of an Indexed's items, from `read(i)`.
template <Indexed D>
using ItemOf = std::remove_cvref_t<decltype(std::declval<const D&>().read(std::int64_t{}))>;

/// A fixed list of samples with random access from any thread.
///
/// `name()` is its name in errors and tables. `size()` never changes. `read(i)` returns sample i of 0 .. size() - 1,
/// always the same. For a damaged sample it throws rc3::Error naming file, sample, field and reason; the others stay
/// readable. `languages()` counts the texts, for sampling among languages.
template <class D>
concept Dataset = Indexed<D> && requires(const D& data, std::int64_t i) {
  { data.read(i) } -> std::same_as<Sample>;
  { data.languages() } -> std::convertible_to<const LanguageCounts&>;
};

/// A fixed list of examples of a downstream task; `languages()` counts the examples of each.
template <class D>
concept ExampleSet = Indexed<D> && requires(const D& data, std::int64_t i) {
  { data.read(i) } -> std::same_as<Example>;
  { data.languages() } -> std::convertible_to<const LanguageCounts&>;
};

/// A data set whose samples are stored in sequence in large files. `shards()` returns the first sample of each file, in
/// order, starting with 0. The loader then shuffles files, and samples within a window, so that it reads long
/// contiguous ranges. `will_read(first, count)` may prefetch these adjacent samples; it neither throws nor waits.
/// Several threads may call it at once.
template <class D>
concept ShardedDataset = Dataset<D> && requires(const D& data, std::int64_t i) {
  { data.shards() } -> std::convertible_to<const std::vector<std::int64_t>&>;
  data.will_read(i, i);
};

}  // namespace rc3::data
