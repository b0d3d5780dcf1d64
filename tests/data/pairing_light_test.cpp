#include "rc3/data/loader/pairing.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(pairing)

using namespace rc3;
using namespace rc3::data;
using test::at_most;
using test::throws_with;

namespace {

Sample sample(std::vector<Text> texts) {
  Sample s;
  s.id = "x";
  s.texts = std::move(texts);
  return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(pairs_are_two_texts_in_two_languages) {
  const LanguageCounts counts{{"de", 10}, {"en", 10}, {"fr", 10}};
  auto s = sample({{"en", "a", 0}, {"en", "b", 1}, {"de", "c", 0}, {"de", "d", 1}, {"fr", "e", 2}, {"de", "a", 0}});
  s.relevance = {{0, 4, 0.25f}, {3, 4, 0.5f}, {0, 2, 0.1f}};
  const Pairing pairing(counts, {.strict_share = 0.25});
  std::map<std::pair<std::size_t, std::size_t>, int> seen;
  int strict = 0, swapped = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Random random(1, i);
    const auto pair = pairing.pair(s, random);
    BOOST_REQUIRE(pair.has_value());
    const auto& [a, b, is_strict, relevance] = *pair;
    BOOST_REQUIRE(a != b);
    BOOST_REQUIRE(s.texts[a].language != s.texts[b].language);
    BOOST_REQUIRE(s.texts[a].text != s.texts[b].text);  // "a" in two languages says nothing
    BOOST_REQUIRE(is_strict == (s.texts[a].group == s.texts[b].group));
    const std::pair<std::size_t, std::size_t> known = std::minmax(a, b);
    if (is_strict) {
      BOOST_REQUIRE((relevance == 1.0f));
    } else if (known == std::pair<std::size_t, std::size_t>{0, 4}) {
      BOOST_REQUIRE((relevance == 0.25f));
    } else if (known == std::pair<std::size_t, std::size_t>(3, 4)) {
      BOOST_REQUIRE((relevance == 0.5f));
    } else {
      BOOST_REQUIRE(!relevance.has_value());
    }
    ++seen[known];
    strict += is_strict;
    swapped += a > b;
  }
  // strict: (0,2) (1,3); weak: (0,3) (0,4) (1,2) (1,4) (1,5) (2,4) (3,4) (4,5)
  BOOST_TEST(seen.size() == 10u);
  at_most("share of strict pairs, from 0.25", std::abs(strict / 4000.0 - 0.25), 0.03);
  at_most("share of swapped pairs, from 0.5", std::abs(swapped / 4000.0 - 0.5), 0.03);
  for (const auto& [pair, count] : seen) BOOST_TEST(count > 300);
}

BOOST_AUTO_TEST_CASE(what_one_kind_lacks_the_other_gives) {
  const LanguageCounts counts{{"de", 1}, {"en", 1}};
  Random random(1);
  const auto only_strict = sample({{"en", "a", 0}, {"de", "b", 0}}),
             only_weak = sample({{"en", "a", 0}, {"de", "b", 1}});
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(Pairing(counts, {.strict_share = 0}).pair(only_strict, random)->strict);
    BOOST_TEST(!Pairing(counts, {.strict_share = 1}).pair(only_weak, random)->strict);
  }
  const auto alike = sample({{"en", "a", 0}, {"en", "b", 1}}), alone = sample({{"en", "a", 0}});
  BOOST_TEST(!Pairing(counts).pair(alike, random).has_value());
  const Pairing same(counts, {.same_language = true});
  BOOST_TEST(same.pair(alike, random).has_value());
  BOOST_TEST(!same.pair(alone, random).has_value());
  BOOST_TEST(!same.pair(sample({{"en", "a", 0}, {"en", "a", 1}}), random).has_value());
  BOOST_TEST(same.text(alone, random).value() == 0u);
  BOOST_TEST(!same.text(sample({}), random).has_value());
}

BOOST_AUTO_TEST_CASE(languages_come_by_temperature) {
  // A data set of 900 images with a text in en, 90 in de and 10 in sw too: what temperature sampling asks for is
  // n^(1/T) / sum, here of single texts over images that have one text each.
  const LanguageCounts counts{{"de", 90}, {"en", 900}, {"sw", 10}};
  for (const double temperature : {1.0, 2.0, 5.0}) {
    const Pairing pairing(counts, {.temperature = temperature});
    const auto all = sample({{"de", "a", 0}, {"en", "b", 1}, {"sw", "c", 2}});
    std::map<std::string, double> seen;
    const int draws = 20000;
    for (std::uint64_t i = 0; i < draws; ++i) {
      Random random(2, i);
      seen[all.texts[pairing.text(all, random).value()].language] += 1.0 / draws;
    }
    double sum = 0;
    for (const auto& [language, n] : counts) sum += std::pow(static_cast<double>(n), 1 / temperature - 1);
    for (const auto& [language, n] : counts)
      at_most(join("T = ", temperature, ", share of ", language, " against its weight"),
              std::abs(seen[language] - std::pow(static_cast<double>(n), 1 / temperature - 1) / sum), 0.012);
  }
}

BOOST_AUTO_TEST_CASE(only_the_languages_that_are_wanted) {
  const LanguageCounts counts{{"de", 5}, {"en", 5}, {"fr", 5}};
  const auto s = sample({{"de", "a", 0}, {"en", "b", 0}, {"fr", "c", 0}});
  const Pairing pairing(counts, {.languages = {"de", "fr"}});
  Random random(1);
  for (int i = 0; i < 50; ++i) {
    BOOST_TEST(s.texts[pairing.text(s, random).value()].language != "en");
    const auto pair = pairing.pair(s, random).value();
    BOOST_TEST(pair.a + pair.b == 2u);
  }
  throws_with([&] { Pairing(counts, {.languages = {"de", "xx"}}); }, "no text in the language xx");
  throws_with([&] { Pairing({}); }, "has no texts");
  throws_with([&] { Pairing(counts, {.strict_share = 2}); }, "strict_share");
  throws_with([&] { Pairing(counts, {.temperature = 0.5}); }, "temperature");
}

BOOST_AUTO_TEST_SUITE_END()
