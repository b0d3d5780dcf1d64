#include "rc3/data/errors/data_errors.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(errors)

using namespace rc3;
using data::DataErrors;

BOOST_AUTO_TEST_CASE(counts_by_kind_and_keeps_the_first_examples) {
  DataErrors all;
  BOOST_TEST(all.report() == "");
  all.add_samples(20);
  for (int i = 0; i < 5; ++i) all.add("empty text", join("a.jsonl:", i, ": de: the text is empty"));
  all.add("duplicate id", "a.jsonl:7: id \"x\" is given twice");
  BOOST_TEST(all.count() == 6);
  BOOST_TEST(all.count("empty text") == 5);
  BOOST_TEST(all.count("something else") == 0);
  BOOST_TEST(all.report() ==
             "duplicate id: 1\n  a.jsonl:7: id \"x\" is given twice\n"
             "empty text: 5\n  a.jsonl:0: de: the text is empty\n  a.jsonl:1: de: the text is empty\n"
             "  a.jsonl:2: de: the text is empty\n  and 2 more\n");
}

BOOST_AUTO_TEST_CASE(more_than_the_budget_ends_the_run_and_says_which) {
  DataErrors few({.fraction = 0.1, .minimum = 2});
  few.add("a", "first");
  few.add("a", "second");
  test::throws_with([&] { few.add("b", "third: x.tar"); }, "too many errors: 3 in 0 samples, the budget is 2",
                    "third: x.tar", "first");
  DataErrors many({.fraction = 0.1, .minimum = 2});
  many.add_samples(50);  // 5 are borne
  for (int i = 0; i < 5; ++i) many.add("a", "x");
  test::throws_with([&] { many.add("a", "y"); }, "the budget is 5");
  DataErrors none({.fraction = 0, .minimum = 0});
  test::throws_with([&] { none.add("a", "x"); }, "the budget is 0");
}

BOOST_AUTO_TEST_CASE(a_budget_that_is_none) {
  test::throws_with([] { DataErrors({.fraction = 1.5, .minimum = 0}); }, "fraction must be in [0, 1], is 1.5");
  test::throws_with([] { DataErrors({.fraction = 0, .minimum = -1}); }, "minimum must be >= 0, is -1");
}

BOOST_AUTO_TEST_CASE(threads_lose_no_count) {
  DataErrors all({.fraction = 1, .minimum = 100000});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        all.add_samples();
        all.add("k", "m");
      }
    });
  threads.clear();
  BOOST_TEST(all.count() == 4000);
  BOOST_TEST(all.samples() == 4000);
}

BOOST_AUTO_TEST_CASE(what_is_left_aside_is_no_error_and_has_a_count) {
  DataErrors errors;
  BOOST_TEST(errors.left_aside() == "");
  errors.pass_over(".npy", "a.tar: 1.npy");
  errors.pass_over(".npy", "a.tar: 2.npy", 41);
  errors.pass_over("hidden", "a.tar: ._1.jpg");
  BOOST_TEST(errors.left_aside() ==
             "left aside  42 .npy, first a.tar: 1.npy\nleft aside  1 hidden, first a.tar: ._1.jpg\n");
  BOOST_TEST(errors.count() == 0);
  BOOST_TEST(errors.report() == "");
}

BOOST_AUTO_TEST_SUITE_END()
