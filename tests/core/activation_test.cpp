#include "rc3/core/nn/activation.hpp"

#include <boost/test/unit_test.hpp>

#include <numbers>

#include "rc3/core/nn/transformer_layer.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(core_activation)

using namespace rc3::test;
using rc3::nn::activate;
using rc3::nn::Activation;

BOOST_AUTO_TEST_CASE(activations_by_hand) {
  const auto x = at::linspace(-6, 6, 97, at::kDouble);
  const auto exact = activate(Activation::gelu, x), tanh = activate(Activation::gelu_tanh, x),
             quick = activate(Activation::quick_gelu, x);
  double worst = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    const double v = x[i].item<double>();
    const double by_tanh = 0.5 * v * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v)));
    worst = std::max({worst, std::abs(exact[i].item<double>() - 0.5 * v * std::erfc(-v / std::numbers::sqrt2)),
                      std::abs(tanh[i].item<double>() - by_tanh),
                      std::abs(quick[i].item<double>() - v / (1 + std::exp(-1.702 * v)))});
  }
  at_most("activations by hand", worst, 1e-12);
  // The three differ enough for a test to tell them apart.
  at_least("gelu and its tanh form", max_difference(exact, tanh), 1e-4);
  at_least("gelu and quick_gelu", max_difference(exact, quick), 1e-2);
}

BOOST_AUTO_TEST_CASE(no_mask_is_a_mask_of_all) {
  for (const auto norm : {rc3::nn::Norm::pre, rc3::nn::Norm::post})
    for (const auto activation : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu}) {
      torch::manual_seed(1);
      rc3::nn::TransformerLayer layer({8, 2, 16, 0, 1e-6, norm, activation});
      const torch::NoGradGuard no_grad;
      const auto x = at::randn({2, 5, 8});
      at_most("no mask and a mask of all",
              max_difference(layer.forward(x, {}), layer.forward(x, at::ones({2, 1, 1, 5}, at::kBool))), 1e-6);
    }
}

BOOST_AUTO_TEST_SUITE_END()
