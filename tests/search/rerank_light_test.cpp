// Order of hits by a second score.
#include "rc3/search/rerank.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(search_rerank)

struct Hit {
  float score = 0;
  std::string name;
  float match = std::numeric_limits<float>::quiet_NaN();
};

const std::vector<Hit> hits{{0.9f, "a"}, {0.8f, "b"}, {0.7f, "c"}, {0.6f, "d"}};

/// Names after a re-ranking of the first @p count, whose probabilities are the first of @p matches.
std::string order(std::int64_t count, std::vector<float> matches) {
  std::size_t asked = 0;
  const auto all = rc3::search::rerank(hits, count, [&](std::span<const Hit> first) {
    asked = first.size();
    for (std::size_t i = 0; i < asked; ++i) BOOST_TEST(first[i].name == hits[i].name);
    matches.resize(asked);
    return matches;
  });
  BOOST_TEST(asked == static_cast<std::size_t>(std::min<std::int64_t>(count, 4)));
  std::string names;
  for (const Hit& hit : all) names += hit.name;
  return names;
}

BOOST_AUTO_TEST_CASE(the_first_by_score_plus_match_then_the_others) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(order(0, {}) == "abcd");
  BOOST_TEST(order(2, {0.1f, 0.5f}) == "bacd");
  BOOST_TEST(order(3, {0.1f, 0.1f, 0.9f}) == "cabd");
  BOOST_TEST(order(2, {0.0f, 0.0f}) == "abcd");
  BOOST_TEST(order(3, {0.0f, none, 0.9f}) == "cad");
  BOOST_TEST(order(100, {0.0f, 0.0f, 0.0f, 0.9f}) == "dabc");
  BOOST_TEST(rc3::search::rerank(std::vector<Hit>{}, 5, [](auto) { return std::vector<float>{}; }).empty());
}

BOOST_AUTO_TEST_CASE(errors) {
  using rc3::test::throws_with;
  throws_with([] { rc3::search::rerank(hits, -1, [](auto) { return std::vector<float>{}; }); }, "must be >= 0, is -1");
  throws_with([] { rc3::search::rerank(hits, 2, [](auto) { return std::vector<float>{0.5f}; }); },
              "1 probabilities for 2 hits");
}

BOOST_AUTO_TEST_SUITE_END()
