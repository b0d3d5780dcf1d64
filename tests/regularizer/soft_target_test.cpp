#include "rc3/regularizer/soft_target.hpp"

#include <boost/test/unit_test.hpp>

#include "regularizer/pairs.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_soft_target)

using namespace rc3::regularizer;
using namespace rc3::test;

BOOST_AUTO_TEST_CASE(soft_target_is_zero_where_the_rows_agree) {
  const auto rho = at::rand({5, 5}, at::kDouble);
  const Pairs agree{{}, {}, (rho / 0.2 + 7.0).requires_grad_(), rho};  // a constant a row changes no softmax
  const auto penalty = SoftTarget(0.2).penalty(agree);
  penalty.backward();
  at_most("SoftTarget where rows agree", penalty.item<double>() + agree.logits.grad().abs().max().item<double>(),
          1e-14);
}

BOOST_AUTO_TEST_CASE(it_is_the_divergence_of_the_rows) {
  const auto pairs = random_pairs(6);
  const auto rho = matrix_of(pairs.relevances), logits = matrix_of(pairs.logits);
  double sum = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    double p_all = 0, q_all = 0;
    for (std::size_t j = 0; j < 6; ++j) p_all += std::exp(rho[i][j] / 0.3), q_all += std::exp(logits[i][j]);
    for (std::size_t j = 0; j < 6; ++j) {
      const double p = std::exp(rho[i][j] / 0.3) / p_all, q = std::exp(logits[i][j]) / q_all;
      sum += p * std::log(p / q);
    }
  }
  at_most("SoftTarget against loops", std::abs(SoftTarget(0.3).penalty(pairs).item<double>() - sum / 6), 1e-13);
}

BOOST_AUTO_TEST_CASE(tau_r_has_its_range) {
  throws_with([] { SoftTarget(0.0); }, "regularizer::SoftTarget", "tau_r");
}

BOOST_AUTO_TEST_SUITE_END()
