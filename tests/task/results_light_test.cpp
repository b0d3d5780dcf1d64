#include "rc3/task/results.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "support/support.hpp"

using namespace rc3;
using task::Results;
using task::Score;
using test::throws_with;

namespace {

Score score(const char* language, double value, double error = 1) {
  Score f{"entailment", "accuracy", "both", language, value, error, 100};
  f.random = 33;
  f.majority = 35;
  return f;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_results)

BOOST_AUTO_TEST_CASE(the_mean_leaves_the_source_out) {
  Results results("en");
  results.add(score("de", 50));
  results.add(score("en", 80));
  results.add(score("ja", 40));
  BOOST_TEST(results.mean("entailment", "accuracy", "both").value() == 45);
  BOOST_TEST(!results.mean("entailment", "accuracy", "blank").has_value());
  BOOST_TEST((results.languages() == std::vector<std::string>{"en", "de", "ja"}));
  const auto rows = results.rows();
  BOOST_TEST_REQUIRE(rows.size() == 1u);
  BOOST_TEST((rows[0].cells == std::vector<double>{80, 50, 40, 45, 33, 35}));
  BOOST_TEST(results.text().find("80.0") != std::string::npos);
  throws_with([&] { results.add(score("de", 51)); }, "exists already");
}

BOOST_AUTO_TEST_CASE(figures_stand_above_the_better_baseline) {
  BOOST_TEST(score("de", 50, 5).sigmas() == 3);
  auto f = score("de", 50, 5);
  f.majority = std::nan("");
  BOOST_TEST(f.sigmas() == 3.4);
  f.random = std::nan("");
  BOOST_TEST(std::isnan(f.sigmas()));
  BOOST_TEST(std::abs(task::binomial_error(50, 100) - 5) < 1e-12);
}

BOOST_AUTO_TEST_CASE(seeds_have_a_mean_and_a_spread) {
  std::vector<Results> seeds(3, Results("en"));
  for (int i = 0; i < 3; ++i) seeds[static_cast<std::size_t>(i)].add(score("de", 40 + 10 * i, 3));
  const auto mean = Results::mean_of(seeds);
  const auto& f = mean.scores().at(0);
  BOOST_TEST(f.value == 50);
  // 10^2 / 3 between the seeds, 3^2 / 3 within.
  BOOST_TEST(std::abs(f.error - std::sqrt(100.0 / 3 + 3)) < 1e-12);
  BOOST_TEST(f.majority == 35);
  seeds[1] = Results("en");
  throws_with([&] { Results::mean_of(seeds); }, "a seed has no figure");
  throws_with([] { Results::mean_of({}); }, "no seeds");
}

BOOST_AUTO_TEST_CASE(json_and_csv_hold_every_figure) {
  Results results("en");
  results.add(score("en", 62.5));
  auto f = score("de", 50);
  f.majority = std::nan("");
  results.add(f);
  const auto json = results.json();
  BOOST_TEST(json["source"] == "en");
  BOOST_TEST(json["figures"][0]["value"] == 62.5);
  BOOST_TEST(json["figures"][1]["majority"].is_null());
  BOOST_TEST(results.csv() ==
             "task,metric,ablation,language,value,standard_error,examples,random,majority\n"
             "entailment,accuracy,both,en,62.5,1,100,33,35\n"
             "entailment,accuracy,both,de,50,1,100,33,\n");
}

BOOST_AUTO_TEST_SUITE_END()
