// Approximate search against exact search of the same vectors; changes, files and hostile files.
#ifdef RC3_TEST_HNSWLIB
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/io/safetensors/header.hpp"
#include "rc3/io/safetensors/write_header.hpp"
#include "rc3/search/hnsw.hpp"
#include "rc3/search/search.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_hnsw)

using rc3::Random;
using rc3::search::Hit;
using rc3::search::HnswIndex;
using rc3::search::HnswOptions;
using rc3::search::Index;
using rc3::search::IndexOptions;
using rc3::search::Storage;
using rc3::test::TempDir;
using rc3::test::throws_with;

constexpr std::size_t d = 24;

/// Rows of normal numbers, around one of @p centres if there are any.
std::vector<float> vectors_of(std::size_t n, std::uint64_t seed, std::size_t centres = 0) {
  Random random(seed), places(99);
  std::vector<float> middle(centres * d), values(n * d);
  for (float& x : middle) x = static_cast<float>(places.normal());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      values[i * d + j] = centres == 0 ? static_cast<float>(random.normal())
                                       : middle[i % centres * d + j] + 0.2f * static_cast<float>(random.normal());
  return values;
}

std::span<const float> row(const std::vector<float>& values, std::size_t i) {
  return std::span(values).subspan(i * d, d);
}
std::string name_of(std::size_t i) { return std::to_string(i * 7919 % 100'003); }

template <class I>
I index_of(const std::vector<float>& values, I index) {
  for (std::size_t i = 0; i < values.size() / d; ++i) index.add(name_of(i), row(values, i));
  return index;
}

bool same(const std::vector<Hit>& a, const std::vector<Hit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Hit& x, const Hit& y) {
    return x.name == y.name && std::memcmp(&x.score, &y.score, sizeof x.score) == 0;
  });
}

/// Share of the ten best by @p exact that @p approximate finds; the score of each that both find is the same.
double recall(const Index& exact, const HnswIndex& approximate, const std::vector<float>& queries) {
  const auto all = exact.search_batch(queries, 10), found = approximate.search_batch(queries, 10);
  double hits = 0, count = 0;
  for (std::size_t q = 0; q < all.size(); ++q) {
    BOOST_TEST(found[q].size() == all[q].size());
    std::map<std::string, float> scores;
    for (const Hit& hit : all[q]) scores[hit.name] = hit.score;
    count += static_cast<double>(all[q].size());
    for (const Hit& hit : found[q])
      if (const auto one = scores.find(hit.name); one != scores.end()) {
        BOOST_TEST(one->second == hit.score);
        ++hits;
      }
  }
  return hits / count;
}

BOOST_AUTO_TEST_CASE(recall_of_random_and_clustered_vectors) {
  for (const std::size_t centres : {0, 40})
    for (const Storage storage : {Storage::float32, Storage::bfloat16, Storage::int8}) {
      const auto values = vectors_of(2500, 1, centres), queries = vectors_of(50, 2, centres);
      const auto exact = index_of(values, Index(d, {.storage = storage}));
      const auto graph = index_of(values, HnswIndex(d, {.storage = storage}));
      rc3::test::at_least(rc3::join("recall@10 of Hnsw, 2500 vectors of 24, ", centres, " clusters, storage ",
                                    rc3::search::storage_row(storage).name),
                          recall(exact, graph, queries), 0.98);
    }
}

// A narrow search of a sparse graph must miss some: else every search here is the exact one.
BOOST_AUTO_TEST_CASE(options_have_an_effect) {
  const auto values = vectors_of(4000, 1), queries = vectors_of(50, 2);
  const auto exact = index_of(values, Index(d));
  const auto narrow = index_of(values, HnswIndex(d, {}, {.links = 4, .build_width = 10, .width = 10}));
  const double found = recall(exact, narrow, queries);
  BOOST_TEST(found < 0.9);
  BOOST_TEST(found > 0.1);
  const auto wider = index_of(values, HnswIndex(d, {}, {.links = 4, .build_width = 10, .width = 300}));
  BOOST_TEST(recall(exact, wider, queries) > found + 0.05);
}

BOOST_AUTO_TEST_CASE(results_do_not_depend_on_threads_or_batches) {
  const auto values = vectors_of(2000, 3), queries = vectors_of(40, 4);
  HnswIndex a = index_of(values, HnswIndex(d)), b = index_of(values, HnswIndex(d, {.threads = 4}));
  const auto batch = b.search_batch(queries, 10);
  for (std::size_t q = 0; q < 40; ++q) BOOST_TEST(same(a.search(row(queries, q), 10), batch[q]));
}

BOOST_AUTO_TEST_CASE(few_vectors_are_all_found) {
  for (const std::size_t n : {0, 1, 2, 50, 1500}) {
    const auto values = vectors_of(n, 5);
    const auto exact = index_of(values, Index(d));
    const auto graph = index_of(values, HnswIndex(d));
    const auto query = vectors_of(1, 6);
    BOOST_TEST(same(graph.search(query, 4000), exact.search(query, 4000)));
  }
  // Equal vectors: a graph of them may fall apart.
  HnswIndex graph(d);
  Index exact(d);
  const auto values = vectors_of(3, 7);
  for (std::size_t i = 0; i < 1500; ++i) {
    graph.add(name_of(i), row(values, i % 3));
    exact.add(name_of(i), row(values, i % 3));
  }
  BOOST_TEST(graph.search(row(values, 1), 1000).size() == 1000u);
  BOOST_TEST(same(graph.search(row(values, 1), 1000), exact.search(row(values, 1), 1000)));
}

BOOST_AUTO_TEST_CASE(filters_lose_nothing) {
  const auto values = vectors_of(2500, 8), queries = vectors_of(20, 9);
  const auto exact = index_of(values, Index(d));
  const auto graph = index_of(values, HnswIndex(d, {.threads = 2}));
  const auto ends = [](const char* with) { return [with](std::string_view name) { return name.ends_with(with); }; };
  double hits = 0;
  for (std::size_t q = 0; q < 20; ++q) {
    BOOST_TEST(same(graph.search(row(queries, q), 10, ends("77")), exact.search(row(queries, q), 10, ends("77"))));
    const auto found = graph.search(row(queries, q), 10, ends("7")), all = exact.search(row(queries, q), 10, ends("7"));
    BOOST_TEST(found.size() == 10u);
    for (const Hit& hit : found) {
      BOOST_TEST(hit.name.ends_with("7"));
      hits += std::any_of(all.begin(), all.end(), [&](const Hit& one) { return one.name == hit.name; });
    }
  }
  BOOST_TEST(hits >= 190);
  BOOST_TEST(graph.search(row(queries, 0), 10, [](auto) { return false; }).empty());
  BOOST_CHECK_THROW(graph.search(row(queries, 0), 10, [](auto) -> bool { throw std::logic_error("filter"); }),
                    std::logic_error);
}

// Random changes; what was removed is never found, and recall stays that of a new graph.
BOOST_AUTO_TEST_CASE(remove_and_replace) {
  const auto values = vectors_of(6000, 10), queries = vectors_of(20, 11);
  for (const Storage storage : {Storage::float32, Storage::int8}) {
    Random random(12);
    Index exact(d, {.storage = storage});
    HnswIndex graph(d, {.storage = storage});
    std::vector<std::string> names;
    for (std::size_t step = 0; step < 3600; ++step) {
      const auto vector = row(values, random() % 6000);
      const auto choice = random() % 10;
      if (names.empty() || choice < (step < 1800 ? 8u : 2u)) {
        names.push_back("n" + std::to_string(step));
        exact.add(names.back(), vector);
        graph.add(names.back(), vector);
      } else if (choice == 9) {
        const auto& name = names[random() % names.size()];
        exact.replace(name, vector);
        graph.replace(name, vector);
      } else {
        std::swap(names[random() % names.size()], names.back());
        exact.remove(names.back());
        graph.remove(names.back());
        names.pop_back();
      }
      if (step % 600 != 599) continue;
      BOOST_TEST_REQUIRE(graph.size() == exact.size());
      BOOST_TEST(recall(exact, graph, queries) > 0.97);
      const TempDir folder;
      graph.save(folder / "i");
      const HnswIndex loaded = HnswIndex::load(folder / "i");
      for (std::size_t q = 0; q < 20; ++q)
        BOOST_TEST(same(loaded.search(row(queries, q), 10), graph.search(row(queries, q), 10)));
    }
    while (!names.empty()) {
      graph.remove(names.back());
      names.pop_back();
    }
    BOOST_TEST(graph.empty());
    BOOST_TEST(graph.search(row(queries, 0), 3).empty());
    graph.add("again", row(values, 0));
    BOOST_TEST(graph.search(row(queries, 0), 3)[0].name == "again");
  }
}

std::string content_of(const std::filesystem::path& path) { return rc3::io::read_file(path, 1 << 30); }

BOOST_AUTO_TEST_CASE(a_loaded_index_is_the_same_and_grows_the_same) {
  const TempDir folder;
  const auto values = vectors_of(1500, 13), more = vectors_of(200, 14), queries = vectors_of(20, 15);
  for (const Storage storage : {Storage::float32, Storage::bfloat16, Storage::int8}) {
    HnswIndex made = index_of(values, HnswIndex(d, {.storage = storage, .model = "m"}, {.links = 8}));
    made.remove(name_of(5));
    made.save(folder / "i");
    HnswIndex loaded = HnswIndex::load(folder / "i", "m", 2);
    BOOST_TEST(loaded.policy().options().links == 8);
    loaded.save(folder / "again");
    BOOST_TEST((content_of(folder / "again") == content_of(folder / "i")));
    for (std::size_t i = 0; i < 200; ++i) {
      made.add("more" + std::to_string(i), row(more, i));
      loaded.add("more" + std::to_string(i), row(more, i));
    }
    for (std::size_t q = 0; q < 20; ++q)
      BOOST_TEST(same(loaded.search(row(queries, q), 10), made.search(row(queries, q), 10)));
  }
  HnswIndex(d).save(folder / "empty");
  BOOST_TEST(HnswIndex::load(folder / "empty").empty());
}

BOOST_AUTO_TEST_CASE(exact_and_approximate_read_each_others_files) {
  const TempDir folder;
  const auto values = vectors_of(1500, 16), queries = vectors_of(20, 17);
  index_of(values, Index(d)).save(folder / "exact");
  index_of(values, HnswIndex(d)).save(folder / "graph");
  const Index exact = Index::load(folder / "exact"), from_graph = Index::load(folder / "graph");
  for (std::size_t q = 0; q < 20; ++q)
    BOOST_TEST(same(exact.search(row(queries, q), 10), from_graph.search(row(queries, q), 10)));
  from_graph.save(folder / "again");
  BOOST_TEST((content_of(folder / "again") == content_of(folder / "exact")));
  BOOST_TEST(recall(exact, HnswIndex::load(folder / "exact"), queries) > 0.98);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused) {
  const TempDir folder;
  auto index = index_of(vectors_of(300, 18), HnswIndex(d, {.model = "rc3-small"}, {.links = 4}));
  index.remove(name_of(7));
  index.save(folder / "i");
  const std::string whole = content_of(folder / "i");
  const auto header = rc3::io::safetensors::read_header(whole, "i");
  const auto write = [&](const std::string& bytes) { rc3::io::write_file(folder / "bad", bytes); };
  const auto refused = [&](auto... parts) { throws_with([&] { HnswIndex::load(folder / "bad"); }, "bad: ", parts...); };
  throws_with([&] { HnswIndex::load(folder / "i", "another"); }, "made with the model \"rc3-small\"", "again");
  for (std::size_t size = 0; size < whole.size(); size += 997) {
    write(whole.substr(0, size));
    refused("truncated");
  }
  const auto begin_of = [&](std::string_view name) {
    for (const auto& entry : header.entries)
      if (entry.name == name) return header.data_offset + entry.begin;
    rc3::fail("no tensor ", name);
  };
  // Number @p at of a tensor becomes @p value.
  const auto with = [&](std::string_view tensor, std::size_t at, auto value) {
    std::string bytes = whole;
    std::memcpy(bytes.data() + begin_of(tensor) + at * sizeof value, &value, sizeof value);
    write(bytes);
  };
  with("graph_slots", 0, std::int64_t{299});
  refused("graph_slots", "slot 299");
  with("graph_slots", 0, std::int64_t{-3});
  refused("graph_slots", "slot -3");
  with("graph_slots", 0, std::numeric_limits<std::int64_t>::min());
  refused("graph_slots", "out of range");
  with("graph_slots", 0, std::int64_t{4});
  refused("graph_slots", "twice");
  with("graph_buried", 3, std::numeric_limits<float>::quiet_NaN());
  refused("graph_buried", "not finite");
  with("graph_links", 0, std::uint32_t{1});
  refused("graph_links", "options 1 and");
  with("graph_links", 1, std::uint32_t{5000});
  refused("graph_links", "options 4 and 5000");
  with("graph_links", 2, std::uint32_t{300});
  refused("graph_links", "entry 300");
  with("graph_links", 3, std::uint32_t{1000});
  refused("graph_links", "a level is 1000");
  with("graph_links", 4, std::uint32_t{9});
  refused("graph_links", "has 9 links");
  with("graph_links", 5, std::uint32_t{300});
  refused("graph_links", "link to 300");
  // Any other number of the links: refused, or as good as a whole file.
  Random random(19);
  const std::size_t numbers = [&] {
    for (const auto& entry : header.entries)
      if (entry.name == "graph_links") return (entry.end - entry.begin) / 4;
    return std::uint64_t{0};
  }();
  int accepted = 0;
  for (int i = 0; i < 400; ++i) {
    with("graph_links", random() % numbers, static_cast<std::uint32_t>(random() % 310));
    try {
      BOOST_TEST(HnswIndex::load(folder / "bad").search(std::vector<float>(d, 1.0f), 5).size() == 5u);
      ++accepted;
    } catch (const rc3::Error& error) {
      BOOST_TEST(std::string_view(error.what()).find("graph_links") != std::string_view::npos);
    }
  }
  BOOST_TEST(accepted > 0);
  BOOST_TEST(accepted < 400);
  std::string newer = whole;
  newer.replace(newer.find("\"version\":\"2\""), 13, "\"version\":\"3\"");
  write(newer);
  refused("version 3 is newer than 2");
  std::string older = whole;
  older.replace(older.find("\"version\":\"2\""), 13, "\"version\":\"1\"");
  write(older);
  refused("version 1 has no tensor \"graph_");
  std::string renamed = whole;
  renamed.replace(renamed.find("graph_buried"), 12, "graph_Buried");
  write(renamed);
  refused("graph_buried", "missing");
}

BOOST_AUTO_TEST_CASE(errors) {
  throws_with([] { HnswIndex(3, {}, {.links = 1}); }, "links must be in [2, 128], is 1");
  throws_with([] { HnswIndex(3, {}, {.links = 16, .build_width = 15}); },
              "build_width must be in [links, 4096], is 15");
  throws_with([] { HnswIndex(3, {}, {.width = 0}); }, "width must be in [1, 65536], is 0");
  HnswIndex index(3);
  const std::vector<float> x{1, 2, 3};
  index.add("a", x);
  throws_with([&] { index.add("a", x); }, "\"a\" is in the index already");
  throws_with([&] { index.add("b", std::vector<float>(3)); }, "zero vector");
  throws_with([&] { index.replace("b", x); }, "\"b\" is not in the index");
  throws_with([&] { index.search(x, 0); }, "k must be >= 1");
  BOOST_TEST(index.search(x, 5).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
#endif
