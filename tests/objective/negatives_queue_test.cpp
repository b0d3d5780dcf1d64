#include "rc3/objective/negatives/queue.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/none.hpp"
#include "rc3/relevance/constant.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_negatives_queue)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;
using rc3::relevance::Constant;
using Queue = negatives::Queue<FakeModel>;
using Plain = RXvtcl<rc3::regularizer::None, Constant, negatives::InBatch>;
using Queued = RXvtcl<rc3::regularizer::None, Constant, Queue>;

template <class Objective>
at::Tensor loss_of(Objective& objective, const Batch& batch) {
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  return objective.loss(forward);
}

Batch numbered(std::int64_t n, std::uint64_t seed, std::int64_t first) {
  auto batch = fake_batch(n, 3, seed);
  batch.image_ids = at::arange(first, first + n);
  batch.caption_a_ids = 2 * batch.image_ids;
  batch.caption_b_ids = 2 * batch.image_ids + 1;
  return batch;
}

at::Tensor unit_z(const Batch& batch, const rc3::Texts& texts) {
  FakeModel model;
  return rc3::nn::l2_normalize(model.fuse(model.visual(batch.images), model.text(texts)));
}

BOOST_AUTO_TEST_CASE(queued_vectors_are_negatives) {
  Queued objective({.hidden_images = 0}, {}, Constant(), Queue(nullptr, {.capacity = 5}));
  objective.to(at::kDouble);
  const auto first = numbered(4, 1, 0), second = numbered(3, 2, 100), third = numbered(3, 3, 200);
  const double empty = loss_of(objective, first).item<double>();
  Plain plain({.hidden_images = 0});
  plain.to(at::kDouble);
  at_most("with an empty queue, against InBatch", std::abs(empty - loss_of(plain, first).item<double>()), 1e-12);
  loss_of(objective, second);
  BOOST_TEST(objective.negatives().size() == 5);  // 4 + 3, of which the two oldest went

  // By hand: the last two of the first batch, then the second, as further columns.
  const auto kept = [&](const auto& of) { return at::cat({of(first).narrow(0, 2, 2), of(second)}, 0); };
  const auto za = kept([](const Batch&b) { return unit_z(b, b.a); }),
             zb = kept([](const Batch&b) { return unit_z(b, b.b); });
  const auto a = unit_z(third, third.a), b = unit_z(third, third.b);
  const double scale = std::exp(std::log(1 / 0.07));
  const auto direction = [&](const at::Tensor& x, const at::Tensor& y, const at::Tensor& queue) {
    const auto logits = scale * at::cat({x.matmul(y.t()), x.matmul(queue.t())}, 1);
    return (logits.logsumexp(1) - logits.diagonal()).mean();
  };
  const auto expected = (direction(a, b, zb) + direction(b, a, za)) / 2;
  at_most("against columns by hand", max_difference(loss_of(objective, third), expected), 1e-5);
}

BOOST_AUTO_TEST_CASE(a_sample_that_is_not_finite_is_not_kept) {
  Queued objective({.hidden_images = 0}, {}, Constant(), Queue());
  objective.to(at::kDouble);
  auto bad = numbered(4, 1, 0);
  {
    const torch::NoGradGuard no_grad;
    bad.images.regions[2] = std::nan("");
  }
  BOOST_TEST(!std::isfinite(loss_of(objective, bad).item<double>()));
  BOOST_TEST(objective.negatives().size() == 3);
  BOOST_TEST(objective.negatives().state_dict().at("image_ids").equal(at::tensor({0, 1, 3}, at::kLong)));
  BOOST_TEST(std::isfinite(loss_of(objective, numbered(3, 2, 100)).item<double>()));  // the next step is sound
}

BOOST_AUTO_TEST_CASE(the_queue_holds_no_false_negative_and_learns_nothing_in_evaluation) {
  Queued objective({.hidden_images = 0}, {}, Constant(), Queue());
  objective.to(at::kDouble);
  const auto one = numbered(1, 1, 0);
  BOOST_TEST(loss_of(objective, one).item<double>() == 0.0);
  BOOST_TEST(objective.negatives().size() == 1);
  {
    const torch::NoGradGuard no_grad;
    BOOST_TEST(loss_of(objective, one).item<double>() == 0.0);  // its own image in the queue is no negative
  }
  BOOST_TEST(objective.negatives().size() == 1);
  // Under another id, with other captions, the very same vector is one.
  BOOST_TEST(loss_of(objective, numbered(1, 1, 90)).item<double>() > 0.1);
}

BOOST_AUTO_TEST_CASE(keys_follow_the_model_slowly) {
  struct Learner : torch::nn::Module {
    explicit Learner(double value) { weight = register_parameter("weight", at::full({3}, value, at::kDouble)); }
    rc3::Tokens visual(const rc3::Images& p) {
      return {p.regions * weight, at::ones({p.regions.size(0), 1}, at::kBool)};
    }
    rc3::Tokens text(const rc3::Texts& t) { return {t.hidden, t.mask}; }
    at::Tensor fuse(const rc3::Tokens& v, const rc3::Tokens& t) { return (v.values + t.values).mean(1); }
    at::Tensor weight;
  };
  Learner model(1.0);
  const auto keys = std::make_shared<Learner>(0.0);
  negatives::Queue<Learner> queue(keys, {.capacity = 8, .momentum = 0.75});
  const auto batch = numbered(2, 1, 0);
  for (int step = 1; step <= 3; ++step) {
    ForwardCache<Learner> forward(model, batch);
    queue.after(forward);
    at_most("keys after a step", std::abs(keys->weight[0].item<double>() - (1 - std::pow(0.75, step))), 1e-12);
  }
  const auto other = numbered(2, 9, 70);
  ForwardCache<Learner> forward(model, other);
  const auto expected = keys->fuse(keys->visual(batch.images), keys->text(batch.b));
  at_most("the last vectors are the keys'", max_difference(queue.for_a(forward).shared.narrow(0, 4, 2), expected),
          1e-12);
  BOOST_TEST(!queue.for_a(forward).shared.requires_grad());
}

BOOST_AUTO_TEST_CASE(a_queue_has_its_ranges) {
  throws_with([] { Queue(nullptr, {.capacity = 0}); }, "negatives::Queue", "capacity");
  throws_with([] { Queue(nullptr, {.momentum = 1.0}); }, "negatives::Queue", "momentum");
}

BOOST_AUTO_TEST_SUITE_END()
