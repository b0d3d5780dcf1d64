#include "rc3/core/nn/packed_weights.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/nn/modules/linear.h>
#include <boost/test/unit_test.hpp>

#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "rc3/core/nn/linear.hpp"
#include "support/support.hpp"

using rc3::nn::PackedWeights;

namespace {

/// bfloat16 autocast on the CPU, on every processor.
struct Bfloat16 {
  Bfloat16() {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  ~Bfloat16() {
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
  }
};

torch::nn::Linear layer(bool bias = true) {
  torch::manual_seed(3);
  return torch::nn::Linear(torch::nn::LinearOptions(96, 64).bias(bias));
}

/// Largest error of nn::linear under autocast without gradient, against sums in float64.
double error(const torch::nn::Linear& linear, const at::Tensor& x) {
  const c10::NoGradGuard no_grad;
  auto expected = x.to(at::kDouble).matmul(linear->weight.to(at::kDouble).t());
  if (linear->bias.defined()) expected = expected + linear->bias;
  const Bfloat16 autocast;
  const auto y = rc3::nn::linear(linear, x);
  BOOST_TEST(y.scalar_type() == at::kBFloat16);
  BOOST_TEST_REQUIRE((y.sizes() == expected.sizes()));
  return (y.to(at::kDouble) - expected).abs().max().item<double>();
}

constexpr double bound = 0.02;  // rounding to 8 bits of sums of 96 products, which are up to 2

}  // namespace

BOOST_AUTO_TEST_SUITE(core_packed_weights)

BOOST_AUTO_TEST_CASE(products_are_those_of_the_weights) {
  for (const bool bias : {true, false})
    for (const auto& shape : {std::vector<std::int64_t>{96}, {1, 96}, {7, 96}, {2, 3, 96}, {300, 96}}) {
      const auto linear = layer(bias);
      rc3::test::at_most("packed product against float64", error(linear, at::randn(shape)), bound);
    }
}

BOOST_AUTO_TEST_CASE(a_changed_weight_is_packed_again) {
  const auto linear = layer();
  const auto x = at::randn({5, 96});
  BOOST_TEST(error(linear, x) < bound);
  {
    const c10::NoGradGuard no_grad;
    linear->weight.mul_(-2);  // in place: another version
  }
  BOOST_TEST(error(linear, x) < 2 * bound);
  {
    const c10::NoGradGuard no_grad;  // LibTorch's operator for optimizers counts no change
    const auto gradient = at::ones({64, 96});
    at::_fused_adamw_({linear->weight}, {gradient}, {at::zeros({64, 96})}, {at::zeros({64, 96})}, {}, {at::ones({})},
                      0.5, 0.9, 0.999, 0.0, 1e-8, false, false);
  }
  BOOST_TEST(error(linear, x) < 4 * bound);
  linear->weight.set_data(at::randn({64, 96}) / 10);  // other memory
  BOOST_TEST(error(linear, x) < bound);
  BOOST_TEST(error(linear, x) < bound);
}

BOOST_AUTO_TEST_CASE(entries_do_not_outlive_their_weights) {
  const auto x = at::randn({2, 96});
  auto first = layer();
  error(first, x);
  const auto before = PackedWeights::instance().size();
  for (int i = 0; i < 20; ++i) error(layer(), x);
  BOOST_TEST(PackedWeights::instance().size() <= before + 1);
  BOOST_TEST(error(first, x) < bound);
}

BOOST_AUTO_TEST_CASE(only_for_float32_without_gradient_under_bfloat16) {
  const auto linear = layer();
  const auto x = at::randn({2, 96});
  const bool able = rc3::nn::detail::PackedOperators::get().pack.has_value();
  std::cout << "bfloat16 products with packed weights: " << (able ? "yes" : "no, this processor has none") << '\n';
  std::optional<Bfloat16> autocast(std::in_place);
  const auto serve = [](const at::Tensor& weight, const at::Tensor& in) {
    return PackedWeights::form(weight, in) == PackedWeights::Form::bfloat16;
  };
  BOOST_TEST(!serve(linear->weight, x));  // with gradients
  const c10::NoGradGuard no_grad;
  BOOST_TEST(serve(linear->weight, x) == able);
  BOOST_TEST(!serve(linear->weight.to(at::kDouble), x));
  BOOST_TEST(!serve(linear->weight, at::ones({2, 96}, at::kLong)));
  BOOST_TEST(!serve(linear->weight, at::randn({0, 96})));
  at::Tensor inference;
  {
    const c10::InferenceMode mode;  // its tensors have no version
    inference = at::randn({64, 96});
  }
  BOOST_TEST(!serve(inference, x));
  autocast.reset();
  BOOST_TEST(!serve(linear->weight, x));
}

BOOST_AUTO_TEST_CASE(layers_of_one_input_have_one_product) {
  const auto a = layer(), b = layer(), c = layer();
  const auto x = at::randn({2, 5, 96});
  const c10::NoGradGuard no_grad;
  c->bias.mul_(3);
  const auto other = layer();
  {
    const Bfloat16 autocast;
    rc3::nn::linear(other, x);  // entries of earlier tests end
  }
  const auto before = PackedWeights::instance().size();
  for (int change = 0; change < 2; ++change) {
    const Bfloat16 autocast;  // anew: without packed operators, autocast keeps a parameter's copy as long as it lives
    const auto y = rc3::nn::linear(a, b, c, x);
    std::size_t k = 0;
    for (const auto& linear : {a, b, c}) {
      const auto expected = x.matmul(linear->weight.t()) + linear->bias;
      BOOST_TEST((y[k++].to(at::kFloat) - expected).abs().max().item<double>() < 2 * bound);
    }
    b->bias.add_(1);  // not the first layer, and not a weight
  }
  if (rc3::nn::detail::PackedOperators::get().pack) BOOST_TEST(PackedWeights::instance().size() == before + 1);
}

BOOST_AUTO_TEST_CASE(threads_share_the_cache) {
  const auto linear = layer();
  const auto x = at::randn({3, 96});
  std::vector<double> errors(4, 1);
  std::vector<std::thread> threads;
  for (auto& e : errors)
    threads.emplace_back([&] {
      const c10::NoGradGuard no_grad;
      const auto expected = x.matmul(linear->weight.t()) + linear->bias;
      const Bfloat16 autocast;  // of this thread
      for (int i = 0; i < 50; ++i) e = (rc3::nn::linear(linear, x) - expected).abs().max().item<double>();
    });
  for (auto& t : threads) t.join();
  for (const double e : errors) BOOST_TEST(e < bound);
}

BOOST_AUTO_TEST_SUITE_END()
