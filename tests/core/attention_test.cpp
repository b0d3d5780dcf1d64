#include "rc3/core/nn/attention.hpp"

#include <ATen/ops/eye.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <boost/test/unit_test.hpp>

#include "rc3/core/nn/transformer_stack.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(core_attention)

using namespace rc3::test;
using rc3::nn::attention;

BOOST_AUTO_TEST_CASE(with_dropout_it_is_that_of_libtorch_with_weights_left_out) {
  torch::manual_seed(1);
  const auto make = [](std::int64_t n) { return at::randn({2, 3, n, 8}).requires_grad_(); };
  const auto query = make(4), key = make(5), value = make(5);
  auto mask = at::ones({2, 1, 1, 5}, at::kBool);
  mask[0].slice(2, 3) = false;
  // A probability that rounds to 0 takes the path of dropout and drops nothing.
  for (const auto& where : {at::Tensor(), mask}) {
    const auto ours = attention(query, key, value, where, 1e-9);
    const auto theirs =
        at::scaled_dot_product_attention(query, key, value, where.defined() ? std::optional(where) : std::nullopt, 0.0);
    at_most("values", max_difference(ours, theirs), 1e-6);
    const auto weight = at::randn_like(ours);
    const auto a = torch::autograd::grad({(ours * weight).sum()}, {query, key, value});
    const auto b = torch::autograd::grad({(theirs * weight).sum()}, {query, key, value});
    for (std::size_t i = 0; i < a.size(); ++i) at_most("gradient", max_difference(a[i], b[i]), 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(in_bfloat16_gradients_are_near) {
  torch::manual_seed(4);
  const auto make = [] { return at::randn({2, 3, 5, 8}).requires_grad_(); };
  const auto query = make(), key = make(), value = make(), weight = at::randn({2, 3, 5, 8});
  const auto gradients = [&](at::ScalarType type) {
    const auto out = attention(query.to(type), key.to(type), value.to(type), {}, 1e-9);
    BOOST_TEST((out.scalar_type() == type));
    return torch::autograd::grad({(out.to(at::kFloat) * weight).sum()}, {query, key, value});
  };
  const auto exact = gradients(at::kFloat), half = gradients(at::kBFloat16);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const auto scale = exact[i].abs().max().item<double>();
    at_most("relative difference", max_difference(exact[i], half[i]) / scale, 0.03);
    at_least("relative difference", max_difference(exact[i], half[i]) / scale, 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(gradient_passes_what_is_kept) {
  torch::manual_seed(5);
  const auto query = at::randn({1, 1, 3, 8}), key = at::randn({1, 1, 6, 8});
  // Values of one-hot rows show the weights: the gradient of a value is the sum of its weights after dropout.
  const auto value = at::eye(6).view({1, 1, 6, 6}).clone().requires_grad_();
  const auto out = attention(query, key, value, {}, 0.5);
  out.sum().backward();
  at_most("gradient", max_difference(value.grad(), out.detach().sum(2).unsqueeze(3).expand({1, 1, 6, 6})), 1e-6);
  at_least("dropped weights", out.eq(0).sum().item<double>(), 3);
}

BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  const auto query = at::randn({1, 2, 3, 8}), key = at::randn({1, 2, 6, 8}), value = at::randn({1, 2, 6, 8});
  auto mean = at::zeros({1, 2, 3, 8});
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) mean += attention(query, key, value, {}, 0.25) / draws;
  at_most("mean of 4,000 draws", max_difference(mean, at::scaled_dot_product_attention(query, key, value)), 0.05);
  at_least("one draw", max_difference(attention(query, key, value, {}, 0.25), mean), 0.05);
}

BOOST_AUTO_TEST_CASE(the_first_token_alone_is_that_of_all) {
  for (const auto norm : {rc3::nn::Norm::pre, rc3::nn::Norm::post})
    for (const bool gradient : {false, true}) {  // without gradient the batch is packed
      torch::manual_seed(1);
      std::vector<std::shared_ptr<rc3::nn::TransformerLayer>> layers;
      for (int i = 0; i < 3; ++i) {
        layers.push_back(
            std::make_shared<rc3::nn::TransformerLayer>(rc3::nn::TransformerLayerOptions{32, 2, 64, 0.1, 1e-6, norm}));
        layers.back()->eval();
      }
      const auto layer = [&](std::int64_t i) -> rc3::nn::TransformerLayer& {
        return *layers[static_cast<std::size_t>(i)];
      };
      const auto x = at::randn({4, 7, 32}).requires_grad_(gradient);
      auto mask = at::ones({4, 7}, at::kBool);
      mask[1].slice(0, 3) = false;
      mask[2][4] = false;
      const at::AutoGradMode mode(gradient);
      BOOST_TEST(rc3::nn::Packing::pays(x, mask) == !gradient);
      const auto first = rc3::nn::forward_first(x, mask, 3, layer);
      const auto all = rc3::nn::forward(x, mask, 0, 3, layer).select(1, 0);
      BOOST_TEST((first.sizes() == at::IntArrayRef{4, 32}));
      at_most("states", max_difference(first, all), 2e-6);
      if (!gradient) continue;
      const auto weight = at::randn({4, 32});
      std::vector<at::Tensor> inputs = {x};
      for (const auto& l : layers)
        for (const auto& p : l->parameters()) inputs.push_back(p);
      const auto a = torch::autograd::grad({(first * weight).sum()}, inputs),
                 b = torch::autograd::grad({(all * weight).sum()}, inputs);
      double worst = 0;
      for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, max_difference(a[i], b[i]));
      at_most("gradients", worst, 1e-4);
    }
}

BOOST_AUTO_TEST_SUITE_END()
