#include "rc3/objective/representations.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/contrastive.hpp"
#include "rc3/objective/itm.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_representations)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;
using rc3::regularizer::Ceiling;

static_assert(Cacheable<Itc, FakeModel> && Cacheable<Xtcl, FakeModel>);
static_assert(Cacheable<RXvtcl<Ceiling, rc3::relevance::Provided, negatives::SameImage>, FakeModel>);
static_assert(!Cacheable<Itm, FakeModel>);  // what it draws is drawn by the step and not by the row

/// Rows are a batch's share of its loss: whatever the blocks, the shares add up, and so do the gradients.
template <class Objective>
void adds_up(const char* name, Objective made) {
  const auto objective = in_double(std::move(made));
  const auto batch = tangled();
  const auto gradients = [&](const at::Tensor& loss) {
    for (const auto& leaf : leaves_of(batch)) leaf.mutable_grad() = at::Tensor();
    loss.backward();
    std::vector<at::Tensor> all;
    for (const auto& leaf : leaves_of(batch))
      all.push_back(leaf.grad().defined() ? leaf.grad().clone() : at::zeros_like(leaf));
    return all;
  };
  const auto whole = loss_of(*objective, batch);
  const double loss = whole.template item<double>();
  const auto expected = gradients(whole);
  for (const std::int64_t block : {1, 3, 7}) {
    FakeModel model;
    ForwardCache<FakeModel> forward(model, batch);
    const auto r = objective->represent(forward);
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (std::int64_t begin = 0; begin < 7; begin += block)
      sum = sum + objective->rows_loss(r, batch, begin, std::min<std::int64_t>(7, begin + block));
    at_most(rc3::join(name, " in blocks of ", block), std::abs(sum.template item<double>() - loss), 1e-13);
    const auto seen = gradients(sum);
    for (std::size_t k = 0; k < seen.size(); ++k)
      at_most(rc3::join(name, " in blocks of ", block, ": gradient ", k), max_difference(seen[k], expected[k]), 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(the_shares_of_blocks_of_rows_add_up_to_the_loss) {
  adds_up("Itc", Itc(0.2));
  adds_up("Xtcl", Xtcl(0.2));
  adds_up("RXvtcl", Rx<Ceiling, negatives::SameImage>({0.2, 3}, Ceiling(-0.2)));
}

BOOST_AUTO_TEST_SUITE_END()
