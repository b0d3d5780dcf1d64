#include "rc3/regularizer/ceiling.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_ceiling)

using rc3::regularizer::Ceiling;
using rc3::regularizer::Pairs;
using namespace rc3::test;

/// mean of max(0, s - (c0 + (1 - c0) rho))^2, as plain C++.
double by_hand(const Vector& similarity, const Vector& relevance, double c0) {
  double sum = 0;
  for (std::size_t i = 0; i < similarity.size(); ++i) {
    const double over = similarity[i] - (c0 + (1 - c0) * relevance[i]);
    if (over > 0) sum += over * over;
  }
  return sum / static_cast<double>(similarity.size());
}

Pairs random_pairs(std::int64_t n) {
  torch::manual_seed(3);
  return {(at::rand({n}, at::kDouble) * 2 - 1).requires_grad_(), at::rand({n}, at::kDouble)};
}

at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

BOOST_AUTO_TEST_CASE(value_and_gradient) {
  const auto pairs = random_pairs(40);
  for (const double c0 : {-1.0, -0.3, 0.0, 0.5, 1.0}) {
    const Ceiling ceiling(c0);
    const double expected = by_hand(vector_of(pairs.similarity), vector_of(pairs.relevance), c0);
    at_most(rc3::join("Ceiling(", c0, ") against loops"), std::abs(ceiling.penalty(pairs).item<double>() - expected),
            1e-15);
    at_most(rc3::join("Ceiling(", c0, ") gradient against central differences"),
            gradient_error([&] { return ceiling.penalty(pairs); }, {pairs.similarity}), 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(below_the_ceiling_there_is_neither_penalty_nor_gradient) {
  const Pairs pairs{doubles({-1, 0.1, 0.5, 0.99}).requires_grad_(), doubles({0, 0.2, 0.5, 1})};  // the third lies on it
  const auto penalty = Ceiling(0.0).penalty(pairs);
  penalty.backward();
  BOOST_TEST(penalty.item<double>() == 0);
  BOOST_TEST(pairs.similarity.grad().equal(at::zeros({4}, at::kDouble)));
}

BOOST_AUTO_TEST_CASE(above_it_descent_brings_the_pair_down) {
  const Pairs pairs{doubles({0.9, 0.2}).requires_grad_(), doubles({0.5, 0.5})};
  Ceiling(0.0).penalty(pairs).backward();
  BOOST_TEST(pairs.similarity.grad()[0].item<double>() > 0);
  BOOST_TEST(pairs.similarity.grad()[1].item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_batch_does_not_count) {
  const auto pairs = random_pairs(16);
  const auto order = at::randperm(16);
  const Pairs other{pairs.similarity.index_select(0, order), pairs.relevance.index_select(0, order)};
  at_most("Ceiling in another order", max_difference(Ceiling().penalty(pairs), Ceiling().penalty(other)), 1e-15);
}

BOOST_AUTO_TEST_CASE(extremes_are_finite) {
  for (const double rho : {0.0, 1.0})
    for (const double s : {-1.0, 0.0, 1.0}) {
      const Pairs pairs{doubles({s}).requires_grad_(), doubles({rho})};
      const auto penalty = Ceiling(0.0).penalty(pairs);
      penalty.backward();
      BOOST_TEST(finite(penalty));
      BOOST_TEST(finite(pairs.similarity.grad()));
    }
}

BOOST_AUTO_TEST_CASE(no_gradient_flows_into_relevance) {
  const Pairs pairs{doubles({0.9}).requires_grad_(), doubles({0.1}).requires_grad_()};
  Ceiling().penalty(pairs).backward();
  BOOST_TEST(!pairs.relevance.grad().defined());
}

BOOST_AUTO_TEST_CASE(c0_has_its_range) {
  throws_with([] { Ceiling(1.1); }, "regularizer::Ceiling", "c0", "1.1");
  throws_with([] { Ceiling(std::nan("")); }, "regularizer::Ceiling", "c0");
}

BOOST_AUTO_TEST_SUITE_END()
