#include "rc3/metric/bootstrap.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(metric_bootstrap)

using rc3::metric::bootstrap_error;
using rc3::metric::score_of_others;

/// Percent of texts that are as they should be.
double equal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  double n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) n += a[i] == b[i];
  return 100 * n / static_cast<double>(a.size());
}

BOOST_AUTO_TEST_CASE(others_score_as_often_as_texts_are_alike) {
  BOOST_TEST(score_of_others({"a", "b"}, equal) == 0);
  BOOST_TEST(score_of_others({"a", "a", "a"}, equal) == 100);
  // Of the three shifts of a a b b one and three agree in two places each, two in none.
  BOOST_TEST(score_of_others({"a", "a", "b", "b"}, equal) == 100.0 / 3, boost::test_tools::tolerance(1e-12));
  // Never with itself, however many there are.
  std::vector<std::string> many;
  for (int i = 0; i < 50; ++i) many.push_back(std::to_string(i));
  BOOST_TEST(score_of_others(many, equal) == 0);
  BOOST_CHECK_THROW(score_of_others({"a"}, equal), rc3::Error);
}

BOOST_AUTO_TEST_CASE(an_error_is_that_of_a_share) {
  std::vector<std::string> said(400, "x"), meant(400, "x");
  BOOST_TEST(bootstrap_error(said, meant, equal) == 0);
  for (std::size_t i = 0; i < 100; ++i) said[i] = "y";
  // 100 sqrt(0.75 0.25 / 400) = 2.17; 50 draws know it to a tenth.
  BOOST_TEST(bootstrap_error(said, meant, equal) == 2.165, boost::test_tools::tolerance(0.35));
}

BOOST_AUTO_TEST_SUITE_END()
