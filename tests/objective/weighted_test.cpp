#include "rc3/objective/weighted.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/objective/itc.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_weighted)

struct Mine {
  int value = 0;
};

BOOST_AUTO_TEST_CASE(a_factor_is_the_weight) {
  const auto itc = 0.5 * rc3::objective::Itc(0.2);
  BOOST_TEST(itc.weight == 0.5);
  BOOST_TEST(itc.objective->parameters().size() == 1u);  // its temperature still learns
  BOOST_TEST(itc.objective->parameters()[0].requires_grad());
  const auto mine = rc3::objective::weighted(2, Mine{7});
  BOOST_TEST(mine.weight == 2);
  BOOST_TEST(mine.objective->value == 7);
  rc3::test::throws_with([] { -1.0 * rc3::objective::Itc(); },
                         "objective::WeightedObjective: the weight must not be negative, is -1");
}

BOOST_AUTO_TEST_CASE(tensors_keep_their_product) {
  using namespace rc3::objective;
  BOOST_TEST((0.5 * at::full({1}, 4.0)).item<double>() == 2.0);
}

BOOST_AUTO_TEST_SUITE_END()
