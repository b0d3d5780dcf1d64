#include "rc3/text/mlm_head.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(text_mlm_head)

using namespace rc3::test;
using rc3::text::MlmHead;

BOOST_AUTO_TEST_CASE(the_formula_by_hand) {
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  MlmHead head(4, 7, 1e-5);
  for (auto& p : head.parameters()) p.copy_(at::randn_like(p));
  const auto p = head.named_parameters();
  const auto word = at::randn({7, 4}), x = at::randn({2, 3, 4});
  const auto h = at::matmul(x, p["dense.weight"].t()) + p["dense.bias"];
  const auto g = h * 0.5 * (1 + at::erf(h / std::sqrt(2.0)));
  const auto c = g - g.mean(-1, true);
  const auto n = c / (c.square().mean(-1, true) + 1e-5).sqrt() * p["norm.weight"] + p["norm.bias"];
  const auto expected = at::matmul(n, word.t()) + p["bias"];
  at_most("MlmHead by hand", max_difference(head.forward(x, word), expected), 1e-5);
  at_most("MlmHead on some positions", max_difference(head.forward(x[1], word), expected[1]), 1e-5);
  BOOST_TEST(head.parameters().size() == 5u);  // no matrix of K rows
  throws_with([&] { head.forward(x, at::randn({8, 4})); }, "text::MlmHead", "word_embedding", "K=7", "[8, 4]");
  throws_with([&] { head.forward(at::randn({2, 5}), word); }, "text::MlmHead", "tokens", "D=4");
}

BOOST_AUTO_TEST_SUITE_END()
