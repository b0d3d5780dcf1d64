#include "rc3/regularizer/weighted.hpp"

#include <boost/test/unit_test.hpp>

#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_weighted)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(weights_have_mean_1_and_follow_relevance) {
  const auto rho = doubles({0.0, 0.25, 0.5, 1.0});
  const auto w = Weighted(2.0).weights(rho);
  at_most("mean of the weights, from 1", std::abs(w.mean().item<double>() - 1), 1e-15);
  at_most("weights against rho^2 / mean", max_difference(w, rho * rho / (1.3125 / 4)), 1e-15);
  BOOST_TEST(Weighted(0.0).weights(rho).equal(at::ones({4}, at::kDouble)));
  BOOST_TEST(Weighted().weights(at::zeros({4}, at::kDouble)).equal(at::zeros({4}, at::kDouble)));
}

BOOST_AUTO_TEST_CASE(gamma_has_its_range) {
  throws_with([] { Weighted(-0.5); }, "regularizer::Weighted", "gamma", "-0.5");
}

BOOST_AUTO_TEST_SUITE_END()
