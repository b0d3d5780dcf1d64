#include "rc3/objective/xtcl.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/by_hand.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_xtcl)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(xtcl_is_its_formula) {
  const auto batch = tangled();
  check_formula("Xtcl", Xtcl(0.2), batch, [&](double scale) {
    const auto rows = batch.strict.nonzero().squeeze(1);
    const auto few = reordered(batch, rows);
    return symmetric_by_hand(units(few.a.hidden), units(few.b.hidden), negatives_by_hand(few), scale);
  });
}

BOOST_AUTO_TEST_CASE(xtcl_without_a_strict_sample_is_zero_with_a_gradient) {
  auto batch = tangled();
  batch.strict = at::zeros({7}, at::kBool);
  Xtcl xtcl;
  const auto loss = loss_of(xtcl, batch);
  loss.backward();
  BOOST_TEST(loss.item<double>() == 0);
  BOOST_TEST(batch.a.hidden.grad().equal(at::zeros_like(batch.a.hidden)));
  batch.strict = at::zeros({3}, at::kBool);
  throws_with([&] { loss_of(xtcl, batch); }, "objective::Xtcl", "strict", "B=7");
}

BOOST_AUTO_TEST_SUITE_END()
