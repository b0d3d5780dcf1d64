#include "rc3/regularizer/sum.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/regularizer/ceiling.hpp"
#include "rc3/regularizer/huber_to_target.hpp"
#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_sum)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(sum_adds_what_its_parts_say) {
  const auto pairs = random_pairs(9);
  const auto sum = Sum<Ceiling, HuberToTarget>({0.25, 3.0}, Ceiling(0.3), HuberToTarget(-0.2)).penalty(pairs);
  at_most("Sum against its parts",
          max_difference(sum, 0.25 * Ceiling(0.3).penalty(pairs) + 3.0 * HuberToTarget(-0.2).penalty(pairs)), 1e-15);
}

BOOST_AUTO_TEST_CASE(weights_have_their_range) {
  throws_with([] { Sum<Ceiling>({-1.0}, Ceiling()); }, "regularizer::Sum", "-1");
}

BOOST_AUTO_TEST_SUITE_END()
