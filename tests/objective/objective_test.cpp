#include "rc3/objective/objective.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/contrastive.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_all)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;
using rc3::regularizer::Ceiling;

BOOST_AUTO_TEST_CASE(the_order_of_the_batch_does_not_count) {
  const auto batch = tangled();
  torch::manual_seed(4);
  const auto any = at::randperm(7), turned = (at::arange(7) + 3) % 7;
  const auto moved = [&](auto objective, const at::Tensor& order) {
    auto o = in_double(std::move(objective));
    return max_difference(loss_of(*o, batch), loss_of(*o, reordered(batch, order)));
  };
  at_most("Itc in another order", moved(Itc(), any), 1e-13);
  at_most("Xtcl in another order", moved(Xtcl(), any), 1e-13);
  at_most("RXvtcl<InBatch> in another order", moved(Rx<Ceiling, negatives::InBatch>(), any), 1e-13);
  // SameImage takes the next sample's text, so turning the batch round is what changes nothing.
  at_most("RXvtcl<SameImage> turned round", moved(Rx<Ceiling, negatives::SameImage>(), turned), 1e-13);
}

BOOST_AUTO_TEST_CASE(an_equal_caption_is_no_negative) {
  auto two = fake_batch(2);
  two.relevance = at::ones({2}, at::kDouble);
  Itc itc;
  Xtcl xtcl;
  Rx<Ceiling, negatives::InBatch> in_batch;
  Rx<Ceiling, negatives::SameImage> same_image;
  const auto losses = [&](const Batch& batch) {
    return std::vector<double>{loss_of(itc, batch).item<double>(), loss_of(xtcl, batch).item<double>(),
                               loss_of(in_batch, batch).item<double>(), loss_of(same_image, batch).item<double>()};
  };
  for (const double loss : losses(two)) BOOST_TEST(loss > 1e-3);
  // Whichever ids agree, the two samples stop being negatives of each other, and nothing is left to tell apart.
  for (auto tie : {+[](Batch& b) { b.caption_a_ids[1] = 0; }, +[](Batch& b) { b.caption_b_ids[1] = 2; },
                   +[](Batch& b) { b.caption_b_ids[1] = 0; }, +[](Batch& b) { b.image_ids[1] = 0; }}) {
    auto tied = two;
    for (auto* ids : {&tied.image_ids, &tied.caption_a_ids, &tied.caption_b_ids}) *ids = ids->clone();
    tie(tied);
    for (const double loss : losses(tied)) BOOST_TEST(std::abs(loss) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(a_batch_of_one_is_finite) {
  auto one = fake_batch(1);
  one.relevance = at::zeros({1}, at::kDouble);
  one.strict = at::ones({1}, at::kBool);
  const auto finite_here = [&](auto objective) {
    for (const auto& leaf : leaves_of(one)) leaf.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, one);
    loss.backward();
    BOOST_TEST(finite(loss));
    for (const auto& leaf : leaves_of(one)) BOOST_TEST((!leaf.grad().defined() || finite(leaf.grad())));
    return loss.template item<double>();
  };
  BOOST_TEST(std::abs(finite_here(Itc())) < 1e-12);
  BOOST_TEST(std::abs(finite_here(Xtcl())) < 1e-12);
  BOOST_TEST(std::abs(finite_here(Rx<rc3::regularizer::None, negatives::SameImage>())) < 1e-12);
  finite_here(Rx<Ceiling, negatives::InBatch>());
  BOOST_TEST(finite_here(Itm()) > 0);  // the matched pair is left
}

BOOST_AUTO_TEST_CASE(zero_vectors_and_extreme_relevance_are_finite) {
  auto batch = fake_batch(3);
  for (const auto& leaf : leaves_of(batch)) leaf.detach().zero_();
  batch.relevance = at::tensor({0.0, 1.0, 0.5}, at::kDouble);
  const auto finite_here = [&](auto objective) {
    for (const auto& leaf : leaves_of(batch)) leaf.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, batch);
    loss.backward();
    BOOST_TEST(finite(loss));
    for (const auto& leaf : leaves_of(batch)) BOOST_TEST((!leaf.grad().defined() || finite(leaf.grad())));
  };
  finite_here(Itc());
  finite_here(Xtcl());
  finite_here(Itm());
  finite_here(Rx<Ceiling, negatives::SameImage>({0.07, 1}, Ceiling(-1)));
}

BOOST_AUTO_TEST_CASE(what_is_told_apart_well_costs_nothing) {
  auto batch = fake_batch(3);
  batch.images.regions = (at::eye(3, at::kDouble) * 2 - 1).unsqueeze(1);  // cosine 1 with itself, -1/3 with others
  batch.a.hidden = batch.b.hidden = batch.images.regions;
  batch.relevance = at::ones({3}, at::kDouble);
  const FakeModel model{.visual_weight = 1, .text_weight = 1, .cross_weight = 0};
  Itc itc(0.01);
  Xtcl xtcl(0.01);
  Rx<Ceiling, negatives::InBatch> rxvtcl({0.01, 1});
  at_most("Itc at its minimum", loss_of(itc, batch, model).item<double>(), 1e-12);
  at_most("Xtcl at its minimum", loss_of(xtcl, batch, model).item<double>(), 1e-12);
  at_most("RXvtcl at its minimum", loss_of(rxvtcl, batch, model).item<double>(), 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()
