#include "rc3/relevance/constant.hpp"

#include <boost/test/unit_test.hpp>

#include "relevance/table.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(relevance_constant)

using namespace rc3::test;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(every_pair_has_the_value) {
  const auto score = rc3::relevance::Constant(0.25).score(batch_of({0, 1, 2}, {3, 4, 5}));
  BOOST_TEST(score.equal(at::full({3}, 0.25)));
  BOOST_TEST(
      rc3::relevance::Constant(0.25).score_rows(batch_of({0, 1, 2}, {3, 4, 5}), 1, 3).equal(at::full({2, 3}, 0.25)));
  throws_with([] { rc3::relevance::Constant(1.5); }, "relevance::Constant", "1.5");
}

BOOST_AUTO_TEST_SUITE_END()
