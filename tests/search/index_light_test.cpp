// Exact search against plain double loops; results that depend on the content only, bit for bit.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/random.hpp"
#include "rc3/search/search.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_index)

using rc3::Random;
using rc3::search::Hit;
using rc3::search::Index;
using rc3::search::IndexOptions;
using rc3::search::Storage;
using rc3::test::throws_with;

constexpr Storage all_storages[] = {Storage::float32, Storage::bfloat16, Storage::int8};

/// @p n vectors of uniform numbers in [-1, 1), of norms far from 1.
std::vector<float> random_vectors(std::size_t n, std::size_t d, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(n * d);
  for (float& x : values) x = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) values[i * d + j] *= static_cast<float>(1 + i % 7);
  return values;
}

std::span<const float> row(const std::vector<float>& values, std::size_t d, std::size_t i) {
  return std::span(values).subspan(i * d, d);
}

std::string name_of(std::size_t i) { return "photos/" + std::to_string(i * 7919 % 100'003) + ".jpg"; }

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return ab / std::sqrt(aa) / std::sqrt(bb);
}

Index index_of(const std::vector<float>& values, std::size_t d, IndexOptions options = {}) {
  Index index(static_cast<std::int64_t>(d), std::move(options));
  for (std::size_t i = 0; i < values.size() / d; ++i) index.add(name_of(i), row(values, d, i));
  return index;
}

/// Every pair of name and score bits, in order.
std::vector<std::pair<std::string, std::uint32_t>> bits(const std::vector<Hit>& hits) {
  std::vector<std::pair<std::string, std::uint32_t>> all;
  for (const Hit& hit : hits) all.emplace_back(hit.name, std::bit_cast<std::uint32_t>(hit.score));
  return all;
}

bool same(const std::vector<Hit>& a, const std::vector<Hit>& b) { return bits(a) == bits(b); }

/// All vectors by cosine of the vectors that the index stores, best first, as a plain loop finds them.
std::vector<std::pair<double, std::string>> by_loops(const Index& index, const std::vector<std::string>& names,
                                                     std::span<const float> query) {
  std::vector<std::pair<double, std::string>> all;
  for (const auto& name : names) all.emplace_back(-cosine(index.vector(name), query), name);
  std::sort(all.begin(), all.end());
  return all;
}

BOOST_AUTO_TEST_CASE(equals_plain_loops) {
  for (const Storage storage : all_storages)
    for (const std::size_t d : {1, 3, 37, 384})
      for (const std::size_t n : {0, 1, 7, 1000}) {
        const auto values = random_vectors(n, d, 10 * n + d);
        const auto query = random_vectors(1, d, 5);
        const Index index = index_of(values, d, {.storage = storage});
        BOOST_TEST_REQUIRE(index.size() == static_cast<std::int64_t>(n));
        std::vector<std::string> names;
        for (std::size_t i = 0; i < n; ++i) names.push_back(name_of(i));
        const auto expected = by_loops(index, names, query);
        for (const std::size_t k : {std::size_t{1}, std::size_t{5}, n + 3}) {
          const auto hits = index.search(query, static_cast<std::int64_t>(k));
          BOOST_TEST_REQUIRE(hits.size() == std::min(k, n));
          std::set<std::string> found;
          for (std::size_t i = 0; i < hits.size(); ++i) {
            BOOST_TEST(std::abs(hits[i].score + expected[i].first) < 3e-7);
            BOOST_TEST(std::abs(hits[i].score - cosine(index.vector(hits[i].name), query)) < 3e-7);
            BOOST_TEST(found.insert(hits[i].name).second);
            if (i > 0) BOOST_TEST(hits[i - 1].score >= hits[i].score);
          }
        }
      }
}

BOOST_AUTO_TEST_CASE(vectors_are_stored_as_documented) {
  const auto values = random_vectors(50, 96, 1);
  for (const Storage storage : all_storages) {
    const Index index = index_of(values, 96, {.storage = storage});
    for (std::size_t i = 0; i < 50; ++i) {
      const auto stored = index.vector(name_of(i));
      const auto original = row(values, 96, i);
      const double norm = std::sqrt(std::inner_product(original.begin(), original.end(), original.begin(), 0.0));
      double largest = 0, squares = 0;
      for (const float x : original) largest = std::max(largest, std::abs(x / norm));
      // Rounding of float32; of 8 bits, and half a level of 127, each with a quarter for the scale.
      const double errors[] = {largest * 0x1p-24, largest * 0x1p-8 * 1.25, largest * 0.5 / 127 * 1.25};
      for (std::size_t j = 0; j < 96; ++j) {
        squares += double{stored[j]} * stored[j];
        BOOST_TEST(std::abs(stored[j] - original[j] / norm) < errors[static_cast<int>(storage)]);
      }
      BOOST_TEST(std::abs(squares - 1) < 1e-6);
      BOOST_TEST(std::abs(index.search(original, 1)[0].score - cosine(stored, original)) < 2e-7);
      BOOST_TEST(index.search(original, 1)[0].name == name_of(i));
    }
  }
}

BOOST_AUTO_TEST_CASE(bfloat16_rounds_to_even) {
  using rc3::search::to_bfloat16;
  BOOST_TEST(to_bfloat16(1.0f) == 0x3F80);
  BOOST_TEST(to_bfloat16(-2.5f) == 0xC020);
  BOOST_TEST(to_bfloat16(1 + 0x1p-8f) == 0x3F80);     // half: to the even one below
  BOOST_TEST(to_bfloat16(1 + 0x3p-8f) == 0x3F82);     // half: to the even one above
  BOOST_TEST(to_bfloat16(1 + 0x1.01p-8f) == 0x3F81);  // more than half
  BOOST_TEST(rc3::search::value_of(rc3::search::Bfloat16{0x3F81}) == 1 + 0x1p-7f);
}

BOOST_AUTO_TEST_CASE(elements_become_floats_exactly) {
  const auto check = [](auto element, int lowest, int count) {
    std::vector<decltype(element)> from;
    for (int i = 0; i < count; ++i) from.push_back(static_cast<decltype(element)>(lowest + i));
    std::vector<float> to(from.size());
    rc3::search::to_floats(from.data(), to.data(), to.size());
    for (std::size_t i = 0; i < from.size(); ++i)
      BOOST_TEST(std::bit_cast<std::uint32_t>(to[i]) == std::bit_cast<std::uint32_t>(rc3::search::value_of(from[i])));
    return to;
  };
  const auto values = check(std::int8_t{}, -128, 256);
  for (int i = 0; i < 256; ++i) BOOST_TEST(values[static_cast<std::size_t>(i)] == static_cast<float>(i - 128));
  check(std::int8_t{}, -100, 200);
  check(rc3::search::Bfloat16{}, 0, 0x7F81);
  check(rc3::search::Bfloat16{}, 0x8000, 0x7F81);
}

// A block has 1024 rows of 37 numbers, and 64 queries: every size on both sides of a border.
BOOST_AUTO_TEST_CASE(results_depend_on_the_content_only) {
  const std::size_t d = 37, n = 5003, q = 131;
  auto values = random_vectors(n, d, 2);
  for (std::size_t i = 100; i < 160; ++i)  // equal vectors, in several places
    std::copy_n(values.begin(), d, values.begin() + static_cast<std::ptrdiff_t>(i * 31 * d));
  auto queries = random_vectors(q, d, 3);
  std::copy_n(values.begin(), d, queries.begin());
  for (const Storage storage : all_storages) {
    const Index forward = index_of(values, d, {.storage = storage});
    std::vector<std::vector<Hit>> expected;
    for (std::size_t i = 0; i < q; ++i) expected.push_back(forward.search(row(queries, d, i), 20));
    for (const int threads : {1, 2, 4}) {
      Index backward(static_cast<std::int64_t>(d), {.storage = storage, .threads = threads});
      for (std::size_t i = n; i-- > 0;) backward.add(name_of(i), row(values, d, i));
      for (const std::size_t batch : {std::size_t{1}, std::size_t{2}, std::size_t{64}, std::size_t{65}, q})
        for (std::size_t from = 0; from + batch <= q; from += batch == 1 ? 40 : batch) {
          const auto hits = backward.search_batch(std::span(queries).subspan(from * d, batch * d), 20);
          BOOST_TEST_REQUIRE(hits.size() == batch);
          for (std::size_t i = 0; i < batch; ++i) BOOST_TEST(same(hits[i], expected[from + i]));
        }
    }
  }
  BOOST_TEST(Index(3).search_batch({}, 1).empty());
}

BOOST_AUTO_TEST_CASE(many_threads_find_all) {
  const std::size_t d = 16, n = 20'000;
  const auto values = random_vectors(n, d, 4);
  Index index = index_of(values, d);
  const auto all = index.search(row(values, d, 9), static_cast<std::int64_t>(n));
  index.set_threads(4);
  BOOST_TEST_REQUIRE(all.size() == n);
  BOOST_TEST(same(all, index.search(row(values, d, 9), static_cast<std::int64_t>(n) + 1)));
}

// Scores closer together than a float product's error: only the exact score can order them.
BOOST_AUTO_TEST_CASE(near_ties_are_ordered_exactly) {
  const std::size_t d = 384, n = 3000;
  const auto base = random_vectors(1, d, 6);
  Random random(7);
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      values.push_back(base[j] + static_cast<float>((static_cast<double>(random() >> 11) * 0x1p-52 - 1) * 2e-3));
  for (const Storage storage : all_storages) {
    const Index index = index_of(values, d, {.storage = storage, .threads = 2});
    const auto all = index.search(base, static_cast<std::int64_t>(n));
    for (const std::int64_t k : {1, 10, 100, 1500}) {
      const auto hits = index.search(base, k);
      BOOST_TEST(same(hits, {all.begin(), all.begin() + k}));
    }
  }
}

BOOST_AUTO_TEST_CASE(ties_are_ordered_by_name) {
  const std::vector<float> x{1, 2, 3}, y{2, 4, 6}, z{1, 0, 0};
  for (const Storage storage : all_storages) {
    Index index(3, {.storage = storage});
    for (const auto* name : {"d", "b", "e", "a", "c"}) index.add(name, *name < 'c' ? x : y);
    index.add("0", z);
    std::string names;
    for (const Hit& hit : index.search(x, 3)) names += hit.name;
    BOOST_TEST(names == "abc");
    names.clear();
    for (const Hit& hit : index.search(y, 6)) names += hit.name;
    BOOST_TEST(names == "abcde0");
  }
}

BOOST_AUTO_TEST_CASE(scores_are_cosines_of_any_norm) {
  Index index(2);
  index.add("tiny", std::vector{3e-30f, 4e-30f});
  index.add("huge", std::vector{3e38f, -3e38f});
  const auto hits = index.search(std::vector{6e30f, 8e30f}, 2);
  BOOST_TEST(hits[0].name == "tiny");
  BOOST_TEST(std::abs(hits[0].score - 1) < 1e-7);
  BOOST_TEST(hits[0].score <= 1);
  BOOST_TEST(std::abs(hits[1].score + 0.2 / std::sqrt(2)) < 1e-7);
  for (std::size_t d = 1; d < 200; ++d) {
    auto x = random_vectors(1, d, d);
    x[0] = 127;  // with whole numbers, int8 keeps the direction, and rounding alone decides about more than 1
    for (float& number : x) number = std::round(number);
    for (const Storage storage : all_storages) {
      Index one(static_cast<std::int64_t>(d), {.storage = storage});
      one.add("x", x);
      BOOST_TEST(one.search(x, 1)[0].score <= 1);
    }
  }
}

// The exact sum, rounded once: products of floats in float, or a sum in float, give other bits.
BOOST_AUTO_TEST_CASE(scores_are_rounded_once) {
  const std::size_t d = 384, n = 500;
  const auto values = random_vectors(n, d, 14);
  for (const Storage storage : {Storage::float32, Storage::bfloat16}) {
    const Index index = index_of(values, d, {.storage = storage});
    Index queries(static_cast<std::int64_t>(d));
    queries.add("query", row(values, d, 3));
    const auto query = queries.vector("query");
    for (const Hit& hit : index.search(row(values, d, 3), static_cast<std::int64_t>(n))) {
      const auto stored = index.vector(hit.name);
      long double sum = 0;
      for (std::size_t i = 0; i < d; ++i) sum += static_cast<long double>(query[i]) * stored[i];
      if (storage == Storage::float32)
        BOOST_TEST(hit.score == static_cast<float>(sum));
      else  // vector() rounds once more
        BOOST_TEST(std::abs(hit.score - static_cast<double>(sum)) < 1e-7);
    }
  }
}

BOOST_AUTO_TEST_CASE(filter) {
  const std::size_t d = 8, n = 3000;
  const auto values = random_vectors(n, d, 8);
  const auto query = row(values, d, 0);
  const auto even = [](std::string_view name) { return (name[name.size() - 5] - '0') % 2 == 0; };
  for (const int threads : {1, 4}) {
    const Index index = index_of(values, d, {.threads = threads});
    std::vector<Hit> expected;
    for (const Hit& hit : index.search(query, static_cast<std::int64_t>(n)))
      if (even(hit.name)) expected.push_back(hit);
    BOOST_TEST(same(index.search(query, static_cast<std::int64_t>(n), even), expected));
    expected.resize(6);
    BOOST_TEST(same(index.search(query, 6, even), expected));
    BOOST_TEST(index.search(query, 6, [](std::string_view) { return false; }).empty());
    BOOST_CHECK_THROW(index.search(query, 6, [](std::string_view) -> bool { throw std::logic_error("filter"); }),
                      std::logic_error);
  }
}

// Random changes, compared with an index made of the vectors that remain.
BOOST_AUTO_TEST_CASE(remove_and_replace) {
  const std::size_t d = 12;
  const auto values = random_vectors(400, d, 9);
  for (const Storage storage : all_storages) {
    Random random(10);
    Index index(static_cast<std::int64_t>(d), {.storage = storage});
    std::map<std::string, std::size_t> content;
    for (int step = 0; step < 2000; ++step) {
      const std::string name = "n" + std::to_string(random() % 60);
      const std::size_t i = random() % 400;
      if (!content.count(name)) {
        index.add(name, row(values, d, i));
        content[name] = i;
      } else if (random() % 2 == 0) {
        index.remove(name);
        content.erase(name);
        BOOST_TEST(!index.contains(name));
      } else {
        index.replace(name, row(values, d, i));
        content[name] = i;
      }
      BOOST_TEST_REQUIRE(index.size() == static_cast<std::int64_t>(content.size()));
      if (step % 50 != 0) continue;
      Index fresh(static_cast<std::int64_t>(d), {.storage = storage});
      for (const auto& [key, value] : content) fresh.add(key, row(values, d, value));
      BOOST_TEST(same(index.search(row(values, d, 1), 100), fresh.search(row(values, d, 1), 100)));
    }
    while (!content.empty()) {
      index.remove(content.begin()->first);
      content.erase(content.begin());
    }
    BOOST_TEST(index.empty());
    BOOST_TEST(index.search(row(values, d, 1), 3).empty());
  }
}

/// Mean share of the ten best by float32 that are among the ten best of @p storage.
double recall_at_10(Storage storage, const std::vector<float>& values, const std::vector<float>& queries,
                    std::size_t d) {
  const auto exact = index_of(values, d).search_batch(queries, 10);
  const auto rounded = index_of(values, d, {.storage = storage}).search_batch(queries, 10);
  double found = 0;
  for (std::size_t q = 0; q < exact.size(); ++q)
    for (const Hit& hit : exact[q])
      found += std::any_of(rounded[q].begin(), rounded[q].end(), [&](const Hit& r) { return r.name == hit.name; });
  return found / (10 * static_cast<double>(exact.size()));
}

BOOST_AUTO_TEST_CASE(names_are_sorted) {
  Index index = index_of(random_vectors(9, 3, 4), 3);
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 9; ++i) expected.push_back(name_of(i));
  index.remove(name_of(2));
  expected.erase(expected.begin() + 2);
  std::sort(expected.begin(), expected.end());
  const auto names = index.names();
  BOOST_TEST(std::vector<std::string>(names.begin(), names.end()) == expected, boost::test_tools::per_element());
  BOOST_TEST(Index(3).names().empty());
}

BOOST_AUTO_TEST_CASE(recall_of_rounded_storage) {
  const std::size_t d = 128;
  const auto values = random_vectors(4000, d, 11), queries = random_vectors(100, d, 12);
  rc3::test::at_least("recall@10 of bfloat16, 4000 random vectors of 128",
                      recall_at_10(Storage::bfloat16, values, queries, d), 0.97);
  rc3::test::at_least("recall@10 of int8, 4000 random vectors of 128", recall_at_10(Storage::int8, values, queries, d),
                      0.94);
}

BOOST_AUTO_TEST_CASE(memory_of_a_search_is_bounded) {
  const std::size_t d = 256, n = 40'000;
  Index index(static_cast<std::int64_t>(d), {.storage = Storage::int8, .threads = 2});
  index.reserve(static_cast<std::int64_t>(n));
  const auto values = random_vectors(64, d, 13);
  for (std::size_t i = 0; i < n; ++i) {
    auto x = std::vector<float>(row(values, d, i % 64).begin(), row(values, d, i % 64).end());
    x[i % d] += static_cast<float>(i);
    index.add(name_of(i), x);
  }
  index.search(row(values, d, 0), 10);
  const rc3::test::PeakMemory memory;
  index.search_batch(values, 10);
  rc3::test::at_most("KB of a search in 40,000 vectors of 256 on 2 threads", memory.rise(), 8192);
}

BOOST_AUTO_TEST_CASE(errors) {
  using Limits = std::numeric_limits<float>;
  throws_with([] { Index index(0); }, "dimension must be in [1, 65536], is 0");
  throws_with([] { Index index(65'537); }, "is 65537");
  throws_with([] { Index index(3, {.threads = 0}); }, "threads must be >= 1, is 0");
  throws_with([] { Index index(3, {.model = "\xff"}); }, "option model", "not UTF-8");
  Index index(3, {.model = "rc3-small"});
  const std::vector<float> x{1, 2, 3};
  index.add("a", x);
  throws_with([&] { index.add("a", x); }, "\"a\" is in the index already", "replace()");
  throws_with([&] { index.add("\xc3(", x); }, "not UTF-8 at byte 0");
  throws_with([&] { index.add("b", std::vector<float>{1, 2}); }, "\"b\": has 2 numbers", "dimension 3", "rc3-small");
  throws_with([&] { index.add("b", std::vector<float>{0, 0, 0}); }, "\"b\"", "zero vector");
  throws_with([&] { index.add("b", std::vector<float>{0, Limits::quiet_NaN(), 0}); }, "\"b\": number 1 is nan");
  throws_with([&] { index.replace("a", std::vector<float>{0, 1, Limits::infinity()}); }, "\"a\": number 2 is inf");
  throws_with([&] { index.replace("a", std::vector<float>{1}); }, "\"a\": has 1 numbers");
  throws_with([&] { index.replace("c", x); }, "\"c\" is not in the index");
  throws_with([&] { index.remove("c"); }, "\"c\" is not in the index");
  throws_with([&] { index.vector("c"); }, "\"c\" is not in the index");
  throws_with([&] { index.reserve(-1); }, "cannot reserve -1");
  throws_with([&] { index.set_threads(-2); }, "threads must be >= 1, is -2");
  throws_with([&] { index.search(std::vector<float>(4), 1); }, "query: has 4 numbers", "dimension 3", "rc3-small");
  throws_with([&] { index.search(std::vector<float>(6, 1), 1); }, "query: has 6 numbers");
  throws_with([&] { index.search(std::vector<float>(3), 1); }, "query", "zero vector");
  throws_with([&] { index.search(x, 0); }, "k must be >= 1, is 0");
  throws_with([&] { index.search_batch(std::vector<float>(4, 1), 1); }, "4 numbers, no multiple of 3");
  throws_with([&] { index.search_batch(std::vector<float>{1, 2, 3, 0, 0, 0}, 1); }, "query 1", "zero vector");
  BOOST_TEST(index.size() == 1);  // a refused change leaves it as it was
  BOOST_TEST(!index.contains("b"));
  BOOST_TEST(index.search(x, 5).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
