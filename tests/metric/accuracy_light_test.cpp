#include "rc3/metric/accuracy.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(metric_accuracy)

using namespace rc3::metric;
using rc3::test::throws_with;
using Ids = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(shares_of_right_answers) {
  BOOST_TEST(accuracy(Ids{1, 2, 3, 0}, Ids{1, 2, 0, 3}) == 0.5);
  BOOST_TEST(accuracy(Texts{"yes", "no"}, Texts{"yes", "no"}) == 1);
  BOOST_TEST(accuracy(std::vector<bool>{true, false, true}, std::vector<bool>{false, true, false}) == 0);
  const Ids predicted{1, 2, 3}, gold{1, 2, 4};
  BOOST_TEST(accuracy(std::span(predicted).first(2), std::span(gold).first(2)) == 1);
  throws_with([] { accuracy(Ids{1}, Ids{1, 2}); }, "metric::accuracy: 1 predictions for 2 gold labels");
  throws_with([] { accuracy(Ids{}, Ids{}); }, "there is no label");
}

BOOST_AUTO_TEST_CASE(groups_must_be_right_as_a_whole) {
  const Ids gold{1, 0, 1, 1, 0, 0};
  const Ids predicted{1, 0, 1, 0, 0, 0};
  BOOST_TEST(std::abs(consistency(predicted, gold, Ids{7, 7, 3, 3, 5, 5}) - 2.0 / 3) < 1e-15);
  // A group need not stand together, and counts once whatever its size.
  BOOST_TEST(consistency(predicted, gold, Texts{"a", "b", "a", "b", "a", "b"}) == 0.5);
  BOOST_TEST(consistency(predicted, gold, Ids{0, 1, 2, 3, 4, 5}) == accuracy(predicted, gold));
  BOOST_TEST(consistency(predicted, gold, Ids{0, 0, 0, 0, 0, 0}) == 0);
  throws_with([&] { consistency(predicted, gold, Ids{0}); }, "metric::consistency: 1 groups for 6 gold labels");
  throws_with([] { consistency(Ids{}, Ids{}, Ids{}); }, "there is no label");
}

BOOST_AUTO_TEST_CASE(the_most_frequent_label_of_training) {
  const auto best = majority_baseline(Ids{2, 0, 1, 1}, Ids{1, 0, 2, 1, 1});
  BOOST_TEST(best.label == 1);
  BOOST_TEST(best.accuracy == 0.6);
  const auto tie = majority_baseline(Texts{"no", "yes", "maybe", "yes", "no"}, Texts{"yes"});
  BOOST_TEST(tie.label == "no");
  BOOST_TEST(tie.accuracy == 0);
  throws_with([] { majority_baseline(Ids{}, Ids{1}); }, "metric::majority_baseline: needs labels");
  throws_with([] { majority_baseline(Ids{1}, Ids{}); }, "not 1 and 0");
}

BOOST_AUTO_TEST_CASE(standard_errors) {
  BOOST_TEST(standard_error(0.5, 100) == 0.05);
  BOOST_TEST(std::abs(standard_error(0.2, 1000) - 0.012649110640673518) < 1e-15);
  BOOST_TEST(standard_error(1, 1) == 0);
  throws_with([] { standard_error(50, 100); }, "50 is no share");
  throws_with([] { standard_error(NAN, 100); }, "is no share");
  throws_with([] { standard_error(0.5, 0); }, "at least one answer");
}

BOOST_AUTO_TEST_SUITE_END()
