#include "rc3/model/losses.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

#include "support/support.hpp"
#include "support/thread_communicator.hpp"

BOOST_AUTO_TEST_SUITE(model_losses)

using namespace rc3::test;

BOOST_AUTO_TEST_CASE(shares_add_up_to_the_mean_over_the_ranks) {
  std::array<double, 3> totals{}, parts{}, slopes{};
  as_ranks(3, [&](ThreadCommunicator& comm) {
    const auto rank = static_cast<std::size_t>(comm.rank());
    const auto weight = at::ones({}, at::kDouble).requires_grad_();
    const double value = 2.0 * static_cast<double>(comm.rank()) + 1;  // 1, 3, 5
    const auto share = rc3::share_of(rc3::Losses{weight * value, {value, 10 * value}}, comm);
    share.total.backward();
    totals[rank] = share.total.item<double>();
    slopes[rank] = weight.grad().item<double>();
    parts[rank] = share.parts[1];
  });
  const auto sum = [](const std::array<double, 3>& x) { return x[0] + x[1] + x[2]; };
  at_most("total", std::abs(sum(totals) - 3), 1e-15);
  at_most("gradient", std::abs(sum(slopes) - 3), 1e-15);
  at_most("a part", std::abs(sum(parts) - 30), 1e-14);
  const auto alone = rc3::share_of(rc3::Losses{at::full({}, 4.0), {4.0}}, rc3::Single());
  BOOST_TEST((alone.total.item<double>() == 4.0 && alone.parts[0] == 4.0));
}

BOOST_AUTO_TEST_SUITE_END()
