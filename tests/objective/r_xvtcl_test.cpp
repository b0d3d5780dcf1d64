#include "rc3/objective/r_xvtcl.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/contrastive.hpp"
#include "rc3/objective/negatives/queue.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_r_xvtcl)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;
using rc3::regularizer::Ceiling;
using rc3::relevance::Constant;

BOOST_AUTO_TEST_CASE(rxvtcl_is_its_formula) {
  const auto batch = tangled();
  const auto by_hand = [&](bool same_image, double lambda, double c0) {
    return
        [&batch, same_image, lambda, c0](double scale) { return rxvtcl_by_hand(batch, scale, same_image, lambda, c0); };
  };
  using rc3::regularizer::None;
  check_formula("RXvtcl<None, InBatch>", Rx<None, negatives::InBatch>({0.2, 1}), batch, by_hand(false, 0, 0));
  check_formula("RXvtcl<None, SameImage>", Rx<None, negatives::SameImage>({0.2, 1}), batch, by_hand(true, 0, 0));
  check_formula("RXvtcl<Ceiling, InBatch>", Rx<Ceiling, negatives::InBatch>({0.2, 3}, Ceiling(-0.2)), batch,
                by_hand(false, 3, -0.2));
  check_formula("RXvtcl<Ceiling, SameImage>", Rx<Ceiling, negatives::SameImage>({0.2, 3}, Ceiling(-0.2)), batch,
                by_hand(true, 3, -0.2));

  // The last sample has something in common with every other: nothing is left to be its negative.
  auto lonely = fake_batch(4);
  lonely.caption_a_ids[3] = lonely.caption_a_ids[0];
  lonely.caption_b_ids[3] = lonely.caption_a_ids[1];
  lonely.image_ids[3] = 2;
  lonely.relevance = at::full({4}, 0.5, at::kDouble);
  BOOST_TEST(!true_negatives(lonely)[3].any().item<bool>());
  check_formula("RXvtcl<None, SameImage>, a sample without negatives", Rx<None, negatives::SameImage>({0.2, 1}), lonely,
                [&](double scale) { return rxvtcl_by_hand(lonely, scale, true, 0, 0); });
}

BOOST_AUTO_TEST_CASE(relevance_1_makes_rxvtcl_plain_infonce) {
  auto batch = tangled();
  batch.relevance = at::Tensor();
  const auto ceiling = in_double(Rx<Ceiling, negatives::InBatch, Constant>({0.07, 5}, Ceiling(0), Constant(1)));
  const auto none = in_double(Rx<rc3::regularizer::None, negatives::InBatch, Constant>());
  BOOST_TEST(loss_of(*ceiling, batch).equal(loss_of(*none, batch)));
  // And plain InfoNCE in both directions, without any machinery of the objective.
  const Matrix v = matrix_of(batch.images.regions.mean(1)), ta = matrix_of(batch.a.hidden.mean(1)),
               tb = matrix_of(batch.b.hidden.mean(1));
  Matrix za, zb;
  for (std::size_t i = 0; i < v.size(); ++i) {
    za.push_back(unit(fused(v[i], ta[i])));
    zb.push_back(unit(fused(v[i], tb[i])));
  }
  const double plain = symmetric_by_hand(za, zb, negatives_by_hand(batch), scale_of(*none));
  at_most("RXvtcl<Ceiling> at relevance 1 against InfoNCE", std::abs(loss_of(*ceiling, batch).item<double>() - plain),
          1e-12);
}

BOOST_AUTO_TEST_CASE(hidden_images_leave_one_input_its_text_alone) {
  const auto batch = fake_batch(40);
  const auto objective = in_double(RXvtcl<rc3::regularizer::None, Constant>({.hidden_images = 0.5}));
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  const auto of_step = [&](std::int64_t step) {
    objective->at_step(step);
    model.fused.clear();
    return objective->represent(forward).learned;
  };
  objective->train();
  const auto z = of_step(3);
  BOOST_TEST_REQUIRE(model.fused.size() == 80u);  // z^a of all, then z^b
  std::size_t from_a = 0, from_b = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const double image = batch.images.regions[row][0][0].item<double>();
    const double a = model.fused[i].first, b = model.fused[40 + i].first;
    BOOST_TEST((a == image || a == 0));
    BOOST_TEST((b == image || b == 0));
    BOOST_TEST((a == image || b == image));  // never both
    from_a += a == 0;
    from_b += b == 0;
    if (a == 0) BOOST_TEST(z[0][row].equal(batch.a.hidden[row][0]));  // z of FakeModel without an image
  }
  // 40 pairs, a half of them, either side: 10 +- 2.7 each.
  BOOST_TEST((from_a >= 3 && from_a <= 18));
  BOOST_TEST((from_b >= 3 && from_b <= 18));
  BOOST_TEST(of_step(3)[0].equal(z[0]));
  BOOST_TEST(!of_step(4)[0].equal(z[0]));

  // A part of the batch hides the same images as the whole.
  const auto rows = at::arange(25, 40);
  const auto part = rc3::test::reordered(batch, rows);
  ForwardCache<FakeModel> of_part(model, part, batch, 25);
  objective->at_step(3);
  BOOST_TEST(objective->represent(of_part).learned[0].equal(z[0].narrow(0, 25, 15)));

  objective->eval();  // losses on held-out data hide nothing
  of_step(3);
  BOOST_TEST(model.fused.size() == 80u);
  for (std::size_t i = 0; i < 80; ++i) BOOST_TEST(model.fused[i].first != 0);
  throws_with([] { RXvtcl<>({.hidden_images = 1.5}); }, "hidden_images must be in [0, 1], is 1.5");
}

BOOST_AUTO_TEST_CASE(by_default_translations_may_be_one_and_other_captions_may_not) {
  // Relevance by alignment: 1 for strict pairs, 0.3 for others; the ceiling is c0 + 0.7 rho.
  auto batch = tangled();
  batch.relevance = at::Tensor();
  const auto by_default = in_double(RXvtcl<>({0.07, 5}, Ceiling(0.3)));
  auto told = batch;
  told.relevance = at::where(batch.strict, 1.0, 0.3).to(at::kDouble);
  const auto provided = in_double(Rx<Ceiling, negatives::InBatch>({0.07, 5}, Ceiling(0.3)));
  at_most("the default relevance against the same numbers provided",
          max_difference(loss_of(*by_default, batch), loss_of(*provided, told)), 1e-7);
  BOOST_TEST(by_default->relevance().score(batch).min().item<float>() == 0.3f);
}

/// A policy that remembers one number and refuses a negative one.
struct Remembering {
  at::Tensor score(const Batch& batch) { return at::ones({batch.size()}); }
  rc3::StateDict state_dict() const { return {{"number", at::tensor(number)}}; }
  void check_state_dict(const rc3::StateDict& all) const {
    rc3::check_state(all, "Remembering", "number", {1}, at::kDouble);
    rc3::require(all.at("number").item<double>() >= 0, "Remembering: negative");
  }
  void load_state_dict(const rc3::StateDict& all) {
    check_state_dict(all);
    number = all.at("number").item<double>();
  }
  double number = 1;
};

BOOST_AUTO_TEST_CASE(state_that_one_part_refuses_changes_no_part) {
  using Queue = negatives::Queue<FakeModel>;
  RXvtcl<Ceiling, Remembering, Queue> objective, other;
  loss_of(objective, fake_batch(4));
  objective.relevance().number = 7;
  auto state = objective.state_dict();
  BOOST_TEST(state.at("relevance.number").item<double>() == 7);
  const auto refused = [&](const rc3::StateDict& damaged, const char* what) {
    throws_with([&] { other.load_state_dict(damaged); }, what);
    BOOST_TEST(other.relevance().number == 1);
    BOOST_TEST(other.negatives().size() == 0);
  };
  auto damaged = state;
  damaged["relevance.number"] = at::tensor(-1.0, at::kDouble);
  refused(damaged, "Remembering: negative");
  damaged = state;
  damaged.erase("negatives.z_b");
  refused(damaged, "z_b");
  damaged = state;
  damaged["more"] = at::ones({});
  refused(damaged, "objective::RXvtcl: the state has 1 tensors of neither");
  other.load_state_dict(state);
  BOOST_TEST(other.relevance().number == 7);
  BOOST_TEST(other.negatives().size() == 4);
}

BOOST_AUTO_TEST_CASE(lambda_is_not_negative) {
  throws_with([] { Rx<Ceiling, negatives::InBatch>({0.07, -1}); }, "lambda", "-1");
}

BOOST_AUTO_TEST_SUITE_END()
