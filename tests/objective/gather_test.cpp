#include "rc3/objective/gather.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <string>

#include "objective/by_hand.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/objective/xtcl.hpp"
#include "rc3/regularizer/ceiling.hpp"
#include "rc3/relevance/constant.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"
#include "support/thread_communicator.hpp"

BOOST_AUTO_TEST_SUITE(objective_gather)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;
using rc3::relevance::Constant;

template <class Objective>
void ranks_are_one(const std::string& name, const std::function<std::shared_ptr<Objective>()>& make) {
  const auto whole = fake_batch(6);
  const auto alone = make();
  const auto loss = loss_of(*alone, whole);
  loss.backward();

  std::vector<Batch> parts;
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    auto part = whole.select(at::arange(2 * rank, 2 * rank + 2));
    for (at::Tensor* t : {&part.images.regions, &part.a.hidden, &part.b.hidden}) *t = t->detach().requires_grad_();
    parts.push_back(part);
  }
  std::vector<std::shared_ptr<Objective>> objectives{make(), make(), make()};
  std::vector<double> losses(3);
  as_ranks(3, [&](ThreadCommunicator& comm) {
    const auto rank = static_cast<std::size_t>(comm.rank());
    FakeModel model;
    const auto share = gathered_loss(comm, model, *objectives[rank], parts[rank]);
    losses[rank] = share.template item<double>();
    share.backward();
  });
  at_most(name + ": shares of three ranks against one",
          std::abs(losses[0] + losses[1] + losses[2] - loss.template item<double>()), 1e-12);
  const auto slope = [](const at::Tensor& t) { return t.grad().defined() ? t.grad() : at::zeros_like(t); };
  double worst = 0;
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    const auto& part = parts[static_cast<std::size_t>(rank)];
    for (const auto& [mine, all] : {std::pair{part.images.regions, whole.images.regions},
                                    {part.a.hidden, whole.a.hidden},
                                    {part.b.hidden, whole.b.hidden}})
      worst = std::max(worst, max_difference(slope(mine), slope(all).narrow(0, 2 * rank, 2)));
  }
  at_most(name + ": gradients of three ranks against one", worst, 1e-12);
  at::Tensor temperature = at::zeros_like(alone->parameters()[0].grad());
  for (const auto& objective : objectives) temperature += objective->parameters()[0].grad();
  at_most(name + ": the temperature's gradient, summed", max_difference(temperature, alone->parameters()[0].grad()),
          1e-12);
}

BOOST_AUTO_TEST_CASE(several_ranks_compute_the_loss_of_the_whole_batch) {
  using Rx = RXvtcl<rc3::regularizer::Ceiling, Constant, negatives::InBatch>;
  ranks_are_one<Rx>("RXvtcl", [] {
    const auto made = in_double(Rx({}, rc3::regularizer::Ceiling(0.1), Constant(0.2)));
    made->train();  // what is hidden is the same in a part as in the whole
    return made;
  });
  ranks_are_one<Itc>("Itc", [] { return in_double(Itc()); });
  ranks_are_one<Xtcl>("Xtcl", [] { return in_double(Xtcl()); });
}

BOOST_AUTO_TEST_CASE(a_gathered_batch_is_the_batches_of_all_ranks) {
  auto whole = fake_batch(6);
  whole.strict = at::tensor({1, 0, 0, 1, 1, 0}, at::kLong).to(at::kBool);
  whole.relevance = at::tensor({1.0, std::nan(""), 0.25, 1.0, 1.0, 0.5}, at::kDouble);
  whole.a.ids = at::arange(30).view({6, 5});
  whole.a.mask = at::ones({6, 5}, at::kBool);
  as_ranks(3, [&](ThreadCommunicator& comm) {
    auto mine = whole.select(at::arange(2 * comm.rank(), 2 * comm.rank() + 2));
    mine.a.ids = mine.a.ids.narrow(1, 0, 3 + comm.rank());  // each pads to its own longest text
    mine.a.mask = mine.a.mask.narrow(1, 0, 3 + comm.rank());
    const auto all = gather_batch(comm, mine);
    BOOST_TEST(all.size() == 6);
    BOOST_TEST(!all.images.regions.defined());
    BOOST_TEST(all.strict.equal(whole.strict));
    BOOST_TEST(all.relevance.isnan().equal(whole.relevance.isnan()));
    BOOST_TEST(all.relevance.nan_to_num(0).equal(whole.relevance.nan_to_num(0)));
    BOOST_TEST(all.image_ids.equal(whole.image_ids));
    BOOST_TEST((all.a.ids.sizes() == at::IntArrayRef{6, 5}));
    BOOST_TEST(all.a.mask.sum(1).equal(at::tensor({3, 3, 4, 4, 5, 5}, at::kLong)));
  });
}

BOOST_AUTO_TEST_SUITE_END()
