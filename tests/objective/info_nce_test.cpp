#include "rc3/objective/info_nce.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_info_nce)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(each_row_is_the_cross_entropy_of_its_partner) {
  torch::manual_seed(8);
  const auto l = at::randn({3, 5}, at::kDouble).requires_grad_();
  const auto partner = at::tensor({4, 0, 2}, at::kLong);
  const auto allowed = at::tensor({1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0}, at::kLong).to(at::kBool).view({3, 5});
  const auto terms = vector_of(info_nce_terms(l, partner, allowed));
  const auto rows = matrix_of(l);
  double worst = 0, mean = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < 5; ++j)
      if (allowed[static_cast<std::int64_t>(i)][j].item<bool>()) sum += std::exp(rows[i][static_cast<std::size_t>(j)]);
    const auto own = static_cast<std::size_t>(partner[static_cast<std::int64_t>(i)].item<std::int64_t>());
    worst = std::max(worst, std::abs(terms[i] - (std::log(sum) - rows[i][own])));
  }
  at_most("InfoNCE's terms against loops", worst, 1e-14);
  BOOST_TEST(terms[2] == 0.0);  // nothing but the partner is allowed
  at_most("InfoNCE's terms: gradient against central differences",
          gradient_error([&] { return info_nce_terms(l, partner, allowed).sum(); }, {l}), 1e-8);
  // The mean, with the partner of row i in column i.
  const auto square = at::randn({4, 6}, at::kDouble);
  const auto values = matrix_of(square);
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (const double x : values[i]) sum += std::exp(x);
    mean += (std::log(sum) - values[i][i]) / 4;
  }
  at_most("InfoNCE against loops", std::abs(info_nce(square, at::ones({4, 6}, at::kBool)).item<double>() - mean),
          1e-14);
}

BOOST_AUTO_TEST_CASE(temperature) {
  Temperature t(0.05);
  at_most("1/tau", std::abs(t.scale().item<double>() - 20), 1e-5);
  const torch::NoGradGuard no_grad;
  t.parameters()[0].fill_(50.0);
  at_most("1/tau at its clamp", std::abs(t.scale().item<double>() - 100), 1e-4);
  throws_with([] { Temperature(0.001); }, "objective::Temperature", "0.001");
}

BOOST_AUTO_TEST_SUITE_END()
