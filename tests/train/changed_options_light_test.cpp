#include "rc3/train/checkpoint/changed_options.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(changed_options_of_a_run)

using namespace rc3::train;
using nlohmann::json;

BOOST_AUTO_TEST_CASE(each_other_value_is_found_with_its_name) {
  const auto before = json::parse(
      R"({"seed": 1, "train": {"rate": 0.1, "rates": {}, "freeze": ["a"]}, "variant": {"x": null}, "gone": 1})");
  const auto now = json::parse(
      R"({"seed": 1, "train": {"rate": 0.2, "rates": {"b": 2}, "freeze": []}, "variant": {"x": 1, "fresh": 2}})");
  const auto all = changed_options(before, now);
  BOOST_TEST(in_words(all) ==
             "train.freeze was [\"a\"], is now []; train.rate was 0.1, is now 0.2; train.rates was {}, is now "
             "{\"b\":2}; variant.x was null, is now 1");
  BOOST_TEST(changed_options(now, now).empty());
  // The order of keys is no difference, nor is a configuration that is not there.
  BOOST_TEST(changed_options(json::parse(R"({"a": {"b": 1, "c": 2}})"),
                             nlohmann::ordered_json::parse(R"({"a": {"c": 2, "b": 1}})"))
                 .empty());
  BOOST_TEST(changed_options(nullptr, now).empty());
}

BOOST_AUTO_TEST_CASE(an_option_is_in_its_groups) {
  for (const char* option : {"train", "train.rate", "train.rate.x"}) BOOST_TEST(is_in("train.rate.x", {"y", option}));
  for (const char* option : {"train.rat", "train.rate.x.y", "tra", "rate"})
    BOOST_TEST(!is_in("train.rate.x", {option}));
}

BOOST_AUTO_TEST_SUITE_END()
