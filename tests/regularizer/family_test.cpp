#include <boost/test/unit_test.hpp>

#include "rc3/regularizer/regularizer.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

// What every regularizer promises; that the numbers are right is tests/baselines' business.
BOOST_AUTO_TEST_SUITE(regularizer_family)

using namespace rc3::regularizer;
using namespace rc3::test;
using Everything = Sum<Ceiling, HuberToTarget, Weighted, SoftTarget>;

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

Pairs random_pairs(std::int64_t n) {
  torch::manual_seed(5);
  return {(at::rand({n}, at::kDouble) * 2 - 1).requires_grad_(), at::rand({n}, at::kDouble),
          (at::randn({n, n}, at::kDouble) * 3).requires_grad_(), at::rand({n, n}, at::kDouble)};
}

template <class Visit>
void each(const Visit& visit) {
  visit("None", None());
  visit("Ceiling", Ceiling(0.1));
  visit("HuberToTarget", HuberToTarget(0.1, 0.3));
  visit("Weighted", Weighted(2.0));
  visit("SoftTarget", SoftTarget(0.3));
  visit("Sum", Everything(Ceiling(0.1), HuberToTarget(0.1, 0.3), Weighted(2.0), SoftTarget(0.3)));
}

BOOST_AUTO_TEST_CASE(what_they_ask_for_is_known_at_compile_time) {
  static_assert(!uses_rows<None> && !uses_rows<Ceiling> && !uses_rows<HuberToTarget> && !uses_rows<Weighted>);
  static_assert(uses_rows<SoftTarget> && uses_rows<Everything> && !uses_rows<Sum<Ceiling, HuberToTarget>>);
  static_assert(Weighs<Weighted> && Weighs<Everything> && !Weighs<Ceiling> && !Weighs<Sum<Ceiling, HuberToTarget>>);
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences_and_none_goes_into_relevance) {
  each([](const char* name, const auto& regularizer) {
    auto pairs = random_pairs(12);
    pairs.relevance.requires_grad_();
    pairs.relevances.requires_grad_();
    const auto penalty = regularizer.penalty(pairs);
    BOOST_TEST((penalty.dim() == 0 && penalty.scalar_type() == at::kDouble), name);
    BOOST_TEST(penalty.template item<double>() >= 0, name);
    if (penalty.requires_grad())
      at_most(rc3::join(name, ": gradient against finite differences"),
              gradient_error([&] { return regularizer.penalty(pairs); }, {pairs.similarity, pairs.logits}), 1e-6);
    BOOST_TEST((!pairs.relevance.grad().defined() && !pairs.relevances.grad().defined()), name);
  });
}

BOOST_AUTO_TEST_CASE(the_order_of_the_batch_does_not_count) {
  each([](const char* name, const auto& regularizer) {
    const auto pairs = random_pairs(12);
    const auto order = at::randperm(12);
    const auto rows = [&](const at::Tensor& t) { return t.index_select(0, order); };
    const auto both = [&](const at::Tensor& t) { return rows(t).index_select(1, order); };
    const Pairs other{rows(pairs.similarity), rows(pairs.relevance), both(pairs.logits), both(pairs.relevances)};
    at_most(rc3::join(name, " in another order"),
            max_difference(regularizer.penalty(pairs), regularizer.penalty(other)), 1e-14);
  });
}

BOOST_AUTO_TEST_CASE(extremes_are_finite) {
  each([](const char* name, const auto& regularizer) {
    for (const double rho : {0.0, 1.0})
      for (const double s : {-1.0, 0.0, 1.0}) {
        const Pairs pairs{at::full({3}, s, at::kDouble).requires_grad_(), at::full({3}, rho, at::kDouble),
                          at::full({3, 3}, 100 * s, at::kDouble).requires_grad_(), at::full({3, 3}, rho, at::kDouble)};
        const auto penalty = regularizer.penalty(pairs);
        BOOST_TEST(finite(penalty), name);
        if (!penalty.requires_grad()) continue;
        penalty.backward();
        for (const auto& t : {pairs.similarity, pairs.logits})
          BOOST_TEST((!t.grad().defined() || finite(t.grad())), name);
      }
  });
}

BOOST_AUTO_TEST_CASE(band_is_zero_on_its_line_and_pulls_towards_it_from_both_sides) {
  const auto rho = doubles({0.0, 0.5, 1.0});
  const Pairs on{(0.2 + 0.8 * rho).requires_grad_(), rho};
  const auto zero = HuberToTarget(0.2).penalty(on);
  zero.backward();
  at_most("HuberToTarget on its line", zero.item<double>() + on.similarity.grad().abs().max().item<double>(), 1e-15);
  const Pairs off{doubles({0.9, -0.9}).requires_grad_(), doubles({0.0, 1.0})};
  HuberToTarget(0.2).penalty(off).backward();
  BOOST_TEST(off.similarity.grad()[0].item<double>() > 0);
  BOOST_TEST(off.similarity.grad()[1].item<double>() < 0);
}

BOOST_AUTO_TEST_CASE(weights_have_mean_1_and_follow_relevance) {
  const auto rho = doubles({0.0, 0.25, 0.5, 1.0});
  const auto w = Weighted(2.0).weights(rho);
  at_most("mean of the weights, from 1", std::abs(w.mean().item<double>() - 1), 1e-15);
  at_most("weights against rho^2 / mean", max_difference(w, rho * rho / (1.3125 / 4)), 1e-15);
  BOOST_TEST(Weighted(0.0).weights(rho).equal(at::ones({4}, at::kDouble)));
  BOOST_TEST(Weighted().weights(at::zeros({4}, at::kDouble)).equal(at::zeros({4}, at::kDouble)));
}

BOOST_AUTO_TEST_CASE(soft_target_is_zero_where_the_rows_agree) {
  const auto rho = at::rand({5, 5}, at::kDouble);
  const Pairs agree{{}, {}, (rho / 0.2 + 7.0).requires_grad_(), rho};  // a constant a row changes no softmax
  const auto penalty = SoftTarget(0.2).penalty(agree);
  penalty.backward();
  at_most("SoftTarget where rows agree", penalty.item<double>() + agree.logits.grad().abs().max().item<double>(),
          1e-14);
}

BOOST_AUTO_TEST_CASE(sum_adds_what_its_parts_say) {
  const auto pairs = random_pairs(9);
  const auto sum = Sum<Ceiling, HuberToTarget>({0.25, 3.0}, Ceiling(0.3), HuberToTarget(-0.2)).penalty(pairs);
  at_most("Sum against its parts",
          max_difference(sum, 0.25 * Ceiling(0.3).penalty(pairs) + 3.0 * HuberToTarget(-0.2).penalty(pairs)), 1e-15);
}

BOOST_AUTO_TEST_CASE(lambda_goes_from_one_number_to_another) {
  const auto lambda = WeightSchedule::linear(0.0, 2.0, 100);
  BOOST_TEST(lambda.at(0) == 0.0);
  BOOST_TEST(lambda.at(50) == 1.0);
  BOOST_TEST(lambda.at(100) == 2.0);
  BOOST_TEST(lambda.at(100000) == 2.0);
  BOOST_TEST(WeightSchedule(0.3).at(0) == 0.3);
  BOOST_TEST(WeightSchedule::linear(1.0, 0.0, 0).at(0) == 0.0);
  throws_with([] { WeightSchedule(-1.0); }, "lambda", "-1");
  throws_with([] { WeightSchedule::linear(0, std::nan(""), 3); }, "lambda");
  throws_with([] { WeightSchedule::linear(0, 1, -3); }, "steps", "-3");
}

BOOST_AUTO_TEST_CASE(parameters_have_their_ranges) {
  throws_with([] { HuberToTarget(2.0); }, "regularizer::HuberToTarget", "c0", "2");
  throws_with([] { HuberToTarget(0.0, 0.0); }, "regularizer::HuberToTarget", "delta");
  throws_with([] { Weighted(-0.5); }, "regularizer::Weighted", "gamma", "-0.5");
  throws_with([] { SoftTarget(0.0); }, "regularizer::SoftTarget", "tau_r");
  throws_with([] { Sum<Ceiling>({-1.0}, Ceiling()); }, "regularizer::Sum", "-1");
}

BOOST_AUTO_TEST_SUITE_END()
