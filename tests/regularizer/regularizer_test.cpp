#include "rc3/regularizer/regularizer.hpp"

#include <boost/test/unit_test.hpp>

#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_all)

using namespace rc3::regularizer;
using namespace rc3::test;
using Everything = Sum<Ceiling, HuberToTarget, Weighted, SoftTarget>;

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

BOOST_AUTO_TEST_SUITE_END()
