#include "rc3/objective/sigmoid_itc.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "objective/by_hand.hpp"
#include "rc3/objective/gather.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"
#include "support/thread_communicator.hpp"

BOOST_AUTO_TEST_SUITE(objective_sigmoid_itc)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

constexpr double bias = -1.5;

BOOST_AUTO_TEST_CASE(sigmoid_itc_is_its_formula) {
  const auto batch = tangled();
  const auto by_hand = [&](double scale) {
    const auto negatives = negatives_by_hand(batch);
    const auto p = units(batch.images.regions);
    double loss = 0;
    for (const auto& texts : {units(batch.a.hidden), units(batch.b.hidden)})
      for (std::size_t i = 0; i < p.size(); ++i)
        for (std::size_t j = 0; j < p.size(); ++j) {
          const double logit = scale * dot(p[i], texts[j]) + bias;
          if (i == j)
            loss += std::log1p(std::exp(-logit));
          else if (negatives[i][j])
            loss += std::log1p(std::exp(logit));
        }
    return loss / (2 * static_cast<double>(p.size()));
  };
  check_formula("SigmoidItc", SigmoidItc(0.2, bias), batch, by_hand);

  auto o = in_double(SigmoidItc(0.2, bias));
  at_most("SigmoidItc: gradient of the bias against central differences",
          gradient_error([&] { return loss_of(*o, batch); }, {o->parameters()[1]}), 1e-6);
  at_most("SigmoidItc: scale", std::abs(o->scale() - 5), 1e-5);
  BOOST_TEST(o->bias() == bias);
}

BOOST_AUTO_TEST_CASE(several_ranks_compute_the_loss_of_the_whole_batch) {
  const auto whole = fake_batch(6);
  const auto alone = in_double(SigmoidItc(0.2, bias));
  const auto loss = loss_of(*alone, whole);
  loss.backward();
  std::vector<std::shared_ptr<SigmoidItc>> objectives;
  std::vector<Batch> parts;
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    objectives.push_back(in_double(SigmoidItc(0.2, bias)));
    auto part = whole.select(at::arange(2 * rank, 2 * rank + 2));
    for (at::Tensor* t : {&part.images.regions, &part.a.hidden, &part.b.hidden}) *t = t->detach().requires_grad_();
    parts.push_back(part);
  }
  std::vector<double> losses(3);
  as_ranks(3, [&](ThreadCommunicator& comm) {
    const auto rank = static_cast<std::size_t>(comm.rank());
    FakeModel model;
    const auto share = gathered_loss(comm, model, *objectives[rank], parts[rank]);
    losses[rank] = share.template item<double>();
    share.backward();
  });
  at_most("SigmoidItc: shares of three ranks against one",
          std::abs(losses[0] + losses[1] + losses[2] - loss.template item<double>()), 1e-12);
  for (std::size_t k = 0; k < 2; ++k) {
    at::Tensor sum = at::zeros_like(alone->parameters()[k].grad());
    for (const auto& o : objectives) sum += o->parameters()[k].grad();
    at_most("SigmoidItc: gradients of scale and bias, summed", max_difference(sum, alone->parameters()[k].grad()),
            1e-12);
  }
  for (std::int64_t rank = 0; rank < 3; ++rank)
    at_most("SigmoidItc: gradient of the images, three ranks against one",
            max_difference(parts[static_cast<std::size_t>(rank)].images.regions.grad(),
                           whole.images.regions.grad().narrow(0, 2 * rank, 2)),
            1e-12);
}

BOOST_AUTO_TEST_CASE(extremes) {
  throws_with([] { SigmoidItc(0); }, "tau", "0");
  throws_with([] { SigmoidItc(0.1, std::nan("")); }, "bias");
  auto o = in_double(SigmoidItc(0.1));
  const auto one = loss_of(*o, fake_batch(1));
  BOOST_TEST(std::isfinite(one.template item<double>()));
}

BOOST_AUTO_TEST_SUITE_END()
