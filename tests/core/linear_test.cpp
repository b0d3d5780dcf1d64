#include "rc3/core/nn/linear.hpp"

#include <boost/test/unit_test.hpp>

#include <ATen/ops/randn.h>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_linear)

BOOST_AUTO_TEST_CASE(is_w_x_plus_b_in_any_number_of_dimensions) {
  torch::manual_seed(1);
  for (const bool bias : {true, false}) {
    torch::nn::Linear layer(torch::nn::LinearOptions(5, 3).bias(bias));
    layer->to(at::kDouble);
    for (const auto& shape : {std::vector<std::int64_t>{5}, {4, 5}, {2, 4, 5}, {2, 3, 4, 5}}) {
      const auto x = at::randn(shape, at::kDouble);
      // Entry by entry.
      auto expected = (x.unsqueeze(-2) * layer->weight).sum(-1);
      if (bias) expected = expected + layer->bias;
      const auto y = rc3::nn::linear(layer, x);
      BOOST_TEST_REQUIRE((y.sizes() == expected.sizes()));
      rc3::test::at_most("nn::linear against sums", (y - expected).abs().max().item<double>(), 1e-14);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
