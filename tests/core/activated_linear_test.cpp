#include "rc3/core/nn/activated_linear.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/train/precision.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(core_activated_linear)

using namespace rc3::test;
namespace nn = rc3::nn;
using nn::Activation;

BOOST_AUTO_TEST_CASE(values_and_gradients_are_those_of_two_steps) {
  for (const auto activation : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu}) {
    torch::manual_seed(1);
    torch::nn::Linear layer(6, 4);
    layer->to(at::kDouble);
    const auto x = at::randn({2, 3, 6}, at::kDouble).requires_grad_(), weight = at::randn({2, 3, 4}, at::kDouble);
    const std::vector<at::Tensor> inputs = {x, layer->weight, layer->bias};
    const auto ours = nn::activated_linear(layer, activation, x);
    const auto theirs = layer->forward(nn::activate(activation, x));
    at_most("values", max_difference(ours, theirs), 1e-12);
    const auto a = torch::autograd::grad({(ours * weight).sum()}, inputs),
               b = torch::autograd::grad({(theirs * weight).sum()}, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) at_most("gradient", max_difference(a[i], b[i]), 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(frozen_parts_get_no_gradient) {
  torch::nn::Linear layer(6, 4);
  layer->weight.set_requires_grad(false);
  const auto x = at::randn({5, 6});
  nn::activated_linear(layer, Activation::gelu, x).sum().backward();
  BOOST_TEST(!layer->weight.grad().defined());
  at_most("gradient of the bias", max_difference(layer->bias.grad(), at::full({4}, 5.0)), 1e-6);
  const torch::NoGradGuard none;
  BOOST_TEST(!nn::activated_linear(layer, Activation::gelu, x).requires_grad());
}

BOOST_AUTO_TEST_CASE(in_bfloat16_parameters_keep_their_type) {
  torch::manual_seed(2);
  torch::nn::Linear inner(8, 32), outer(32, 8);
  const auto x = at::randn({4, 3, 8}).requires_grad_(), weight = at::randn({4, 3, 8});
  const auto gradients = [&](rc3::train::Precision precision) {
    const rc3::train::Autocast autocast(precision);
    const auto out = nn::activated_linear(outer, Activation::gelu, nn::linear(inner, x));
    BOOST_TEST((out.scalar_type() == (precision == rc3::train::Precision::bfloat16 ? at::kBFloat16 : at::kFloat)));
    return torch::autograd::grad({(out.to(at::kFloat) * weight).sum()}, {x, inner->weight, outer->weight, outer->bias});
  };
  const auto exact = gradients(rc3::train::Precision::float32), half = gradients(rc3::train::Precision::bfloat16);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    BOOST_TEST((half[i].scalar_type() == at::kFloat));
    at_most("relative difference", max_difference(exact[i], half[i]) / exact[i].abs().max().item<double>(), 0.03);
  }
}

BOOST_AUTO_TEST_SUITE_END()
