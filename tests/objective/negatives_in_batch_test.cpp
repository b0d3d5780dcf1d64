#include "rc3/objective/negatives/in_batch.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/objective/forward_cache.hpp"
#include "support/fake_model.hpp"

BOOST_AUTO_TEST_SUITE(objective_negatives_in_batch)

using namespace rc3::test;
using namespace rc3::objective;

static_assert(negatives::Policy<negatives::InBatch, FakeModel>);

BOOST_AUTO_TEST_CASE(it_adds_nothing_and_encodes_nothing) {
  const auto batch = fake_batch(3);
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  negatives::InBatch in_batch;
  for (const auto& more : {in_batch.for_a(forward), in_batch.for_b(forward)})
    BOOST_TEST((!more.per_row.defined() && !more.shared.defined() && !more.allowed.defined()));
  BOOST_TEST(model.images_encoded + model.texts_encoded == 0);
  BOOST_TEST(model.fused.empty());
}

BOOST_AUTO_TEST_SUITE_END()
