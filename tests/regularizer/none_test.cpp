#include "rc3/regularizer/none.hpp"

#include <boost/test/unit_test.hpp>

#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_none)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(none_is_zero) {
  const auto penalty = None().penalty(random_pairs(5));
  BOOST_TEST(penalty.item<double>() == 0);
  BOOST_TEST(penalty.dim() == 0);
  BOOST_TEST((penalty.scalar_type() == at::kDouble));
}

BOOST_AUTO_TEST_SUITE_END()
