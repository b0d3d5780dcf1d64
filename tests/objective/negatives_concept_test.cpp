#include "rc3/objective/negatives/concept.hpp"

#include <boost/test/unit_test.hpp>

#include "support/fake_model.hpp"

BOOST_AUTO_TEST_SUITE(objective_negatives_concept)

using rc3::objective::ForwardCache;
using rc3::objective::negatives::ExtraNegatives;
using rc3::objective::negatives::Policy;
using rc3::test::FakeModel;

struct Both {
  ExtraNegatives for_a(ForwardCache<FakeModel>&);
  ExtraNegatives for_b(ForwardCache<FakeModel>&);
};
struct OneSide {
  ExtraNegatives for_a(ForwardCache<FakeModel>&);
};
struct ATensor {
  at::Tensor for_a(ForwardCache<FakeModel>&);
  at::Tensor for_b(ForwardCache<FakeModel>&);
};

BOOST_AUTO_TEST_CASE(both_directions_give_extra_negatives) {
  static_assert(Policy<Both, FakeModel> && !Policy<OneSide, FakeModel> && !Policy<ATensor, FakeModel>);
  const ExtraNegatives none;
  BOOST_TEST((!none.per_row.defined() && !none.shared.defined() && !none.allowed.defined()));
}

BOOST_AUTO_TEST_SUITE_END()
