#include "rc3/text_ids.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "rc3/core/blank.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(text_ids)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

/// Samples in memory; one without an id cannot be read.
struct Listed {
  std::vector<Sample> samples;
  LanguageCounts counts;
  const char* name() const { return "listed"; }
  std::int64_t size() const { return std::ssize(samples); }
  Sample read(std::int64_t i) const {
    const auto& sample = samples[static_cast<std::size_t>(i)];
    require(!sample.id.empty(), "listed: sample ", i, ": unreadable");
    return sample;
  }
  const LanguageCounts& languages() const { return counts; }
};

std::vector<std::int64_t> length(const std::string& text) {
  require(!is_blank(text) && text.size() < 20, "encode: an impossible text");
  return {std::ssize(text)};
}

Sample sample(std::string id, std::vector<Text> texts) {
  Sample s;
  s.id = std::move(id);
  s.texts = std::move(texts);
  return s;
}

BOOST_AUTO_TEST_CASE(a_sample_is_encoded_whole_or_not_at_all) {
  const Text en{"en", "a", 0}, de{"de", "ab", 0}, ja{"ja", "abc", 0};
  // What fails stands first, in the middle and last; of its texts the first, the middle one and the last.
  const Listed source{{sample("0", {{"en", "\u200B", 0}, de}), sample("1", {en, de}), sample("2", {}),
                       sample("3", {en, {"de", std::string(20, 'x'), 0}, ja}), sample("", {en}), sample("5", {ja, en}),
                       sample("6", {en, {"de", "\u00A0", 0}})},
                      {}};
  DataErrors errors;
  const tool::TextIds ids(source, length, errors);
  BOOST_TEST(errors.samples() == 7);
  BOOST_TEST(errors.count("damaged sample") == 4);
  throws_with([&] { fail(errors.report()); }, "listed: 0: en: encode: an impossible text", "listed: 3: de: encode",
              "listed: sample 4: unreadable");
  BOOST_TEST(ids.samples() == 3u);
  BOOST_TEST((ids.ids() == std::vector<std::vector<std::int64_t>>{{1}, {2}, {3}, {1}}));
  BOOST_TEST((ids.languages() == LanguageCounts{{"de", 1}, {"en", 2}, {"ja", 1}}));
  const std::vector<std::int64_t> kept{1, 2, 5};
  for (std::size_t k = 0; k < 3; ++k) {
    BOOST_TEST(ids.sample(k) == kept[k]);
    const Sample read = ids.read(source, k);
    BOOST_TEST(read.id == std::to_string(kept[k]));
    BOOST_TEST_REQUIRE(ids.first(k + 1) - ids.first(k) == read.texts.size());
    for (std::size_t t = 0; t < read.texts.size(); ++t) {
      BOOST_TEST(ids.language(ids.first(k) + t) == read.texts[t].language);
      BOOST_TEST((ids.ids()[ids.first(k) + t] == length(read.texts[t].text)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sample_that_changed_is_an_error) {
  Listed source{{sample("0", {{"en", "a", 0}})}, {}};
  DataErrors errors;
  const tool::TextIds ids(source, length, errors);
  source.samples[0].texts.push_back({"de", "b", 0});
  throws_with([&] { ids.read(source, 0); }, "listed: 0: was changed");
}

BOOST_AUTO_TEST_SUITE_END()
