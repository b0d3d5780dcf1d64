#include "rc3/regularizer/huber_to_target.hpp"

#include <boost/test/unit_test.hpp>

#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_huber_to_target)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(it_is_zero_on_its_line_and_pulls_towards_it_from_both_sides) {
  const auto rho = doubles({0.0, 0.5, 1.0});
  const Pairs on{(0.2 + 0.8 * rho).requires_grad_(), rho};
  const auto zero = HuberToTarget(0.2).penalty(on);
  zero.backward();
  at_most("HuberToTarget on its line", zero.item<double>() + on.similarity.grad().abs().max().item<double>(), 1e-15);
  const Pairs off{doubles({0.9, -0.9}).requires_grad_(), doubles({0.0, 1.0})};
  HuberToTarget(0.2).penalty(off).backward();
  BOOST_TEST(off.similarity.grad()[0].item<double>() > 0);
  BOOST_TEST(off.similarity.grad()[1].item<double>() < 0);
}

BOOST_AUTO_TEST_CASE(squares_near_the_line_and_slopes_far_from_it) {
  // Huber's loss of s - (c0 + (1 - c0) rho), mean over the pairs, as plain C++.
  const double c0 = 0.1, delta = 0.3;
  const auto pairs = random_pairs(40);
  const auto s = vector_of(pairs.similarity), rho = vector_of(pairs.relevance);
  double sum = 0;
  int near = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double off = std::abs(s[i] - (c0 + (1 - c0) * rho[i]));
    sum += off <= delta ? off * off / 2 : delta * (off - delta / 2);
    near += off <= delta;
  }
  BOOST_TEST((near > 3 && near < 37));
  at_most("HuberToTarget against loops", std::abs(HuberToTarget(c0, delta).penalty(pairs).item<double>() - sum / 40),
          1e-14);
}

BOOST_AUTO_TEST_CASE(parameters_have_their_ranges) {
  throws_with([] { HuberToTarget(2.0); }, "regularizer::HuberToTarget", "c0", "2");
  throws_with([] { HuberToTarget(0.0, 0.0); }, "regularizer::HuberToTarget", "delta");
}

BOOST_AUTO_TEST_SUITE_END()
