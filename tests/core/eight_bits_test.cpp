#include "rc3/core/nn/eight_bits.hpp"

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/linear.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <iostream>
#include <limits>
#include <thread>

#include "rc3/core/nn/linear.hpp"
#include "support/support.hpp"

using rc3::nn::EightBits;

namespace {

torch::nn::Linear layer(std::int64_t in, bool bias = true) {
  torch::manual_seed(3);
  return torch::nn::Linear(torch::nn::LinearOptions(in, 40).bias(bias));
}

at::Tensor in_bytes(const torch::nn::Linear& linear, const at::Tensor& x) {
  const c10::NoGradGuard no_grad;
  const EightBits bytes;
  return rc3::nn::linear(linear, x);
}

/// Without such products the tests see float32.
bool able() {
  static const bool supported = [] {
    std::cout << "products of bytes: " << (EightBits::supported() ? "yes" : "no, this processor has none") << '\n';
    return EightBits::supported();
  }();
  return supported;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_eight_bits)

BOOST_AUTO_TEST_CASE(products_are_those_of_the_weights_within_their_rounding) {
  able();
  for (const bool bias : {true, false})
    for (const std::int64_t in : {5, 64, 100}) {  // not all are multiples of 16
      const auto linear = layer(in, bias);
      for (const auto& shape : {std::vector<std::int64_t>{in}, {1, in}, {2, 3, in}, {300, in}}) {
        const auto x = at::randn(shape);
        const auto expected = x.matmul(linear->weight.t()) + (bias ? linear->bias : at::zeros({1}));
        const auto y = in_bytes(linear, x);
        BOOST_TEST((y.scalar_type() == at::kFloat));
        BOOST_TEST_REQUIRE((y.sizes() == expected.sizes()));
        const auto error = (y - expected).norm() / expected.norm();
        rc3::test::at_most("relative error of a product of bytes", error.item<double>(), 0.02);
        if (able() && in > 5) BOOST_TEST(error.item<double>() > 1e-4);  // else nothing was rounded
      }
    }
}

BOOST_AUTO_TEST_CASE(a_row_does_not_depend_on_others) {
  const auto linear = layer(64);
  auto x = at::randn({7, 64});
  const auto y = in_bytes(linear, x);
  x[6].mul_(1000);
  x[5].zero_();
  const auto with_others = in_bytes(linear, x);
  BOOST_TEST(y.narrow(0, 0, 5).equal(with_others.narrow(0, 0, 5)));
  if (able()) BOOST_TEST(y[3].equal(in_bytes(linear, x[3])));  // float32 of one row is another kernel
  BOOST_TEST(with_others[5].equal(linear->bias));
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_stays_so) {
  const auto linear = layer(64);
  auto x = at::randn({3, 64});
  x[0][20] = std::numeric_limits<float>::quiet_NaN();
  x[1][63] = std::numeric_limits<float>::infinity();
  const auto y = in_bytes(linear, x);
  BOOST_TEST(!y[0].isfinite().any().item<bool>());
  BOOST_TEST(!y[1].isfinite().any().item<bool>());
  BOOST_TEST(y[2].isfinite().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(only_without_gradient_and_in_its_thread) {
  const auto linear = layer(64);
  const auto x = at::randn({3, 64});
  const auto exact = rc3::nn::linear(linear, x).detach();
  const EightBits bytes;
  BOOST_TEST(rc3::nn::linear(linear, x).equal(exact));  // with gradient
  const c10::NoGradGuard no_grad;
  BOOST_TEST(rc3::nn::linear(linear, x).equal(exact) == !able());
  { const EightBits none(false); }
  BOOST_TEST(EightBits::active());
  bool elsewhere = true;
  std::thread([&] { elsewhere = EightBits::active(); }).join();
  BOOST_TEST(!elsewhere);
}

BOOST_AUTO_TEST_CASE(a_changed_bias_is_seen) {
  const auto linear = layer(64);
  const auto x = at::zeros({1, 64});
  BOOST_TEST(in_bytes(linear, x)[0].equal(linear->bias));
  {
    const c10::NoGradGuard no_grad;
    linear->bias.add_(1);
  }
  BOOST_TEST(in_bytes(linear, x)[0].equal(linear->bias));
}

BOOST_AUTO_TEST_SUITE_END()
