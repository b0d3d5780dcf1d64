#include "rc3/regularizer/weight_schedule.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_weight_schedule)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(lambda_goes_from_one_number_to_another) {
  const auto lambda = WeightSchedule::linear(0.0, 2.0, 100);
  BOOST_TEST(lambda.at(0) == 0.0);
  BOOST_TEST(lambda.at(50) == 1.0);
  BOOST_TEST(lambda.at(100) == 2.0);
  BOOST_TEST(lambda.at(100000) == 2.0);
  BOOST_TEST(WeightSchedule(0.3).at(0) == 0.3);
  BOOST_TEST(WeightSchedule::linear(1.0, 0.0, 0).at(0) == 0.0);
  throws_with([] { WeightSchedule(-1.0); }, "lambda", "-1");
  throws_with([] { WeightSchedule::linear(0, std::nan(""), 3); }, "lambda");
  throws_with([] { WeightSchedule::linear(0, 1, -3); }, "steps", "-3");
}

BOOST_AUTO_TEST_SUITE_END()
