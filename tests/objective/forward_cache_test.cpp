#include "rc3/objective/forward_cache.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/contrastive.hpp"
#include "rc3/objective/itm.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_forward_cache)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;
using rc3::regularizer::Ceiling;

BOOST_AUTO_TEST_CASE(a_pass_encodes_once) {
  auto batch = tangled();
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  Itc itc;
  Xtcl xtcl;
  Rx<Ceiling, negatives::SameImage> rxvtcl;
  Itm itm;
  itc.loss(forward);
  xtcl.loss(forward);
  rxvtcl.loss(forward);
  itm.loss(forward);
  BOOST_TEST(model.images_encoded == 1);
  BOOST_TEST(model.texts_encoded == 2);
}

BOOST_AUTO_TEST_CASE(a_part_draws_from_the_whole) {
  const auto whole = fake_batch(5);
  const auto part = whole.select(at::arange(2, 4));
  FakeModel model;
  ForwardCache<FakeModel> forward(model, part, whole, 2);
  BOOST_TEST(forward.begin() == 2);
  BOOST_TEST(forward.batch().size() == 2);
  const auto other = at::tensor({4, 0}, at::kLong);
  BOOST_TEST(forward.text_a_of(other).values.equal(whole.a.hidden.index_select(0, other)));
  BOOST_TEST(forward.text_b_of(other).values.equal(whole.b.hidden.index_select(0, other)));
  ForwardCache<FakeModel> all(model, whole);
  BOOST_TEST(all.text_a_of(other).values.equal(whole.a.hidden.index_select(0, other)));
  BOOST_TEST(all.negative_mask().all().item<bool>());  // all differ, and the diagonal counts
}

BOOST_AUTO_TEST_SUITE_END()
