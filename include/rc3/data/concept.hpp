#pragma once
/// What a data set must offer; see docs/concepts/dataset.md. LibTorch-free.

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

/// How many texts there are in each language.
using LanguageCounts = std::map<std::string, std::int64_t>;

/// A fixed list of anything that is read at any place from any thread: what the loader needs.
template <class D>
concept Indexed = requires(const D& data, std::int64_t i) {
  { data.name() } -> std::convertible_to<std::string_view>;
  { data.size() } -> std::same_as<std::int64_t>;
  data.read(i);
};

/// What `read(i)` of an Indexed gives.
template <Indexed D>
using ItemOf = std::remove_cvref_t<decltype(std::declval<const D&>().read(std::int64_t{}))>;

/// A fixed list of samples that is read at any place from any thread.
///
/// `name()` is what errors and tables call it. `size()` never changes. `read(i)` gives sample i of 0 .. size() - 1, the
/// same whenever it is called; it throws rc3::Error naming file, sample, field and reason where that sample is damaged,
/// and the others stay readable. `languages()` counts the texts, for sampling among languages.
template <class D>
concept Dataset = Indexed<D> && requires(const D& data, std::int64_t i) {
  { data.read(i) } -> std::same_as<Sample>;
  { data.languages() } -> std::convertible_to<const LanguageCounts&>;
};

/// The same of the examples of a downstream task; `languages()` counts those of each.
template <class D>
concept ExampleSet = Indexed<D> && requires(const D& data, std::int64_t i) {
  { data.read(i) } -> std::same_as<Example>;
  { data.languages() } -> std::convertible_to<const LanguageCounts&>;
};

/// A data set whose samples lie behind each other in large files. `shards()` gives the first sample of each file, in
/// order, beginning with 0: the loader then shuffles files and, inside a window, samples, so that it reads whole
/// stretches. `will_read(first, count)` may fetch these neighbours ahead; it neither throws nor waits.
template <class D>
concept ShardedDataset = Dataset<D> && requires(const D& data, std::int64_t i) {
  { data.shards() } -> std::convertible_to<const std::vector<std::int64_t>&>;
  data.will_read(i, i);
};

}  // namespace rc3::data
