#include "rc3/objective/itc.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/by_hand.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_itc)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(itc_is_its_formula) {
  const auto batch = tangled();
  check_formula("Itc", Itc(0.2), batch, [&](double scale) {
    const auto p = units(batch.images.regions), a = units(batch.a.hidden), b = units(batch.b.hidden);
    const auto negatives = negatives_by_hand(batch);
    return (symmetric_by_hand(p, a, negatives, scale) + symmetric_by_hand(p, b, negatives, scale)) / 2;
  });
}

BOOST_AUTO_TEST_SUITE_END()
