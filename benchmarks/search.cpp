// Search of the ten best: exact, by one query and by 64, in each storage; approximate. benchmarks/compare.py runs the
// exact one in turns with faiss and usearch (benchmarks/peers/search.py).
//
// RC3_SEARCH_VECTORS and RC3_SEARCH_GRAPH: how many vectors (default: 100,000 and 20,000); docs/performance.md has
// 1,000,000.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "rc3/core/random.hpp"
#ifdef RC3_TEST_HNSWLIB
#include "rc3/search/hnsw.hpp"
#endif
#include "rc3/search/search.hpp"

namespace bench::search {
namespace {

using namespace rc3::search;
constexpr std::size_t dimension = 384, top = 10, threads = 2;

std::size_t number(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Vectors of normal numbers, one after the other; those of a cluster are near its middle.
class Vectors {
 public:
  explicit Vectors(std::uint64_t seed, std::size_t clusters = 0) : random_(seed), middles_(clusters * dimension) {
    rc3::Random places(1);
    for (float& x : middles_) x = static_cast<float>(places.normal());
  }
  std::span<const float> next() {
    const std::size_t clusters = middles_.size() / dimension;
    for (std::size_t i = 0; i < dimension; ++i)
      vector_[i] = static_cast<float>(random_.normal()) * (clusters > 0 ? 0.5f : 1.0f) +
                   (clusters > 0 ? middles_[count_ % clusters * dimension + i] : 0.0f);
    ++count_;
    return vector_;
  }

 private:
  rc3::Random random_;
  std::vector<float> middles_, vector_ = std::vector<float>(dimension);
  std::size_t count_ = 0;
};

template <class I>
I filled(I index, std::size_t size, std::size_t clusters = 0) {
  Vectors vectors(2, clusters);
  index.reserve(static_cast<std::int64_t>(size));
  for (std::size_t i = 0; i < size; ++i) index.add(std::to_string(i), vectors.next());
  return index;
}

std::vector<float> queries_of(std::size_t count, std::size_t clusters = 0) {
  Vectors vectors(3, clusters);
  std::vector<float> all;
  for (std::size_t q = 0; q < count; ++q) {
    const auto one = vectors.next();
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

void exact(benchmark::State& state) {
  static std::map<Storage, Index> made;
  const auto storage = static_cast<Storage>(state.range(0));
  if (!made.contains(storage)) {
    made.clear();  // one at a time: 1.5 GB
    made.emplace(storage, filled(Index(dimension, {.storage = storage, .threads = threads}),
                                 number("RC3_SEARCH_VECTORS", 100'000)));
  }
  const Index& index = made.at(storage);
  const auto queries = queries_of(static_cast<std::size_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(index.search_batch(queries, top));
  state.counters["items"] =
      benchmark::Counter(static_cast<double>(state.range(1) * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(exact)->ArgsProduct({{0, 1, 2}, {1, 64}})->UseRealTime()->Unit(benchmark::kMillisecond);

/// What this machine reads of memory in a second with as many threads: the limit of a search by one query.
void memory(benchmark::State& state) {
  const std::vector<float> values(number("RC3_SEARCH_VECTORS", 100'000) * dimension, 1.0f);
  std::vector<float> sums(threads);
  for (auto _ : state) {
    std::vector<std::jthread> all;
    for (std::size_t t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        const std::size_t part = values.size() / threads / dimension;
        float sum = 0;
        const std::vector<float> query(dimension, 1.0f);
        for (std::size_t i = 0; i < part; ++i)
          sum += rc3::search::detail::product(values.data() + (t * part + i) * dimension, query.data(), dimension);
        sums[t] = sum;
      });
    all.clear();
    benchmark::DoNotOptimize(sums.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(values.size() * sizeof(float)) * state.iterations());
}
BENCHMARK(memory)->UseRealTime()->Unit(benchmark::kMillisecond);

#ifdef RC3_TEST_HNSWLIB
/// Argument: clusters of the vectors, 0: none, and candidates of a search.
void hnsw(benchmark::State& state) {
  const auto clusters = static_cast<std::size_t>(state.range(0));
  const std::size_t size = number("RC3_SEARCH_GRAPH", 20'000), count = 200;
  static std::map<std::size_t, std::pair<Index, double>> made;
  static std::map<std::size_t, std::string> files;
  if (!files.contains(clusters)) {
    const auto begin = std::chrono::steady_clock::now();
    const auto graph = filled(HnswIndex(dimension), size, clusters);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    files[clusters] = (std::filesystem::temp_directory_path() / ("rc3-bench-" + std::to_string(clusters))).string();
    graph.save(files[clusters]);
    made.emplace(clusters, std::pair{filled(Index(dimension), size, clusters), seconds});
  }
  const auto graph = HnswIndex::load(files[clusters], "", 1, nullptr, {.width = state.range(1)});
  const auto queries = queries_of(count, clusters);
  const auto all = made.at(clusters).first.search_batch(queries, top), found = graph.search_batch(queries, top);
  double hits = 0;
  for (std::size_t q = 0; q < count; ++q)
    for (const Hit& hit : all[q])
      hits += std::any_of(found[q].begin(), found[q].end(), [&](const Hit& h) { return h.name == hit.name; });
  std::size_t q = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(graph.search(std::span(queries).subspan(q++ % count * dimension, dimension), top));
  state.counters["recall"] = hits / static_cast<double>(count * top);
  state.counters["build_s"] = made.at(clusters).second;
  state.counters["items"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(hnsw)->ArgsProduct({{0, 1000}, {64, 128, 512}})->UseRealTime()->Unit(benchmark::kMillisecond);
#endif

}  // namespace

}  // namespace bench::search
