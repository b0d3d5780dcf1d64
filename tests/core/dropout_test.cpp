#include "rc3/core/nn/dropout.hpp"

#include <ATen/Parallel.h>
#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(core_dropout)

using namespace rc3::test;
namespace nn = rc3::nn;

BOOST_AUTO_TEST_CASE(elements_are_dropped_with_the_given_probability) {
  for (const double p : {0.1, 0.5, 0.8}) {
    torch::manual_seed(3);
    const std::int64_t n = 1'000'003;  // no multiple of what one random number fills
    const auto y = nn::dropout(at::ones({n}), p, true);
    const auto kept = y.ne(0).to(at::kDouble);
    at_most("deviations of the kept share", std::abs(kept.mean().item<double>() - (1 - p)) / std::sqrt(p * (1 - p) / n),
            4.0);
    BOOST_TEST((y.eq(0) | (y - 1 / (1 - p)).abs().lt(1e-4)).all().item<bool>());
    const auto off = kept - kept.mean();
    for (const std::int64_t lag : {1, 2, 3, 4, 8, 16, 32, 384, 4096}) {
      const auto r = (off.narrow(0, 0, n - lag) * off.narrow(0, lag, n - lag)).mean().item<double>() / (p * (1 - p));
      at_most("correlation of elements " + std::to_string(lag) + " apart, in deviations", std::abs(r) * std::sqrt(n),
              4.5);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_seed_of_libtorch_decides_and_threads_do_not) {
  const auto threads = at::get_num_threads();
  const auto x = at::rand({64, 1000}) + 1;
  torch::manual_seed(5);
  const auto first = nn::dropout(x, 0.3, true), second = nn::dropout(x, 0.3, true);
  BOOST_TEST(!first.equal(second));
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    torch::manual_seed(5);
    BOOST_TEST(nn::dropout(x, 0.3, true).equal(first));
  }
  at::set_num_threads(threads);
}

BOOST_AUTO_TEST_CASE(gradient_passes_where_elements_are_kept) {
  const auto x = (at::rand({33, 5}) + 1).requires_grad_();
  const auto y = nn::dropout(x, 0.4, true);
  y.sum().backward();
  at_most("gradient", max_difference(x.grad(), y.detach() / x.detach()), 1e-6);
  at_least("dropped elements", y.eq(0).sum().item<double>(), 20);
}

BOOST_AUTO_TEST_CASE(other_types_and_nothing_to_do) {
  const auto x = at::rand({50, 40}) + 1;
  BOOST_TEST(nn::dropout(x, 0.5, false).is_same(x));
  BOOST_TEST(nn::dropout(x, 0, true).is_same(x));
  BOOST_TEST(nn::dropout(at::empty({0, 4}), 0.5, true).numel() == 0);
  for (const auto type : {at::kBFloat16, at::kDouble}) {
    const auto y = nn::dropout(x.to(type), 0.5, true);
    BOOST_TEST((y.scalar_type() == type));
    BOOST_TEST((y.eq(0) | y.eq(2 * x.to(type))).all().item<bool>());
    at_least("kept", y.ne(0).to(at::kDouble).mean().item<double>(), 0.4);
    at_most("kept", y.ne(0).to(at::kDouble).mean().item<double>(), 0.6);
  }
}

BOOST_AUTO_TEST_SUITE_END()
