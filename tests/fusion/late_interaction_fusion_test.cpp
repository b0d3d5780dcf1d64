#include "rc3/fusion/late_interaction_fusion.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(fusion_late_interaction)

using namespace rc3::test;
using rc3::Tokens;
using LateInteractionFusion = rc3::fusion::LateInteractionFusion<rc3::fusion::SingleStream>;

/// Three images of two regions and two patches, texts of up to five tokens; the third image has no region.
struct Fixture {
  Fixture() {
    torch::manual_seed(3);
    fusion = std::make_shared<LateInteractionFusion>(
        std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1}));
    fusion->to(at::kDouble);
    fusion->eval();
    visual = {at::randn({3, 4, 8}, at::kDouble), at::ones({3, 4}, at::kBool)};
    text = {at::randn({3, 5, 8}, at::kDouble), at::ones({3, 5}, at::kBool)};
    visual.embeddings = rc3::nn::l2_normalize(at::randn({3, 4, 6}, at::kDouble));
    visual.embeddings.narrow(1, 2, 2).zero_();
    visual.embeddings[2].zero_();
    visual.mask[1][1] = false;
    visual.embeddings[1][1].zero_();
    text.embeddings = rc3::nn::l2_normalize(at::randn({3, 5, 6}, at::kDouble));
    text.mask[1][4] = false;
    text.embeddings[1][4].zero_();
  }
  at::Tensor parameter(const std::string& name) const { return fusion->named_parameters()[name]; }
  std::shared_ptr<LateInteractionFusion> fusion;
  Tokens visual, text;
};

/// What token @p q of @p asks is given, by loops.
at::Tensor given(const Tokens& asks, const Tokens& answers, std::int64_t b, std::int64_t q, const at::Tensor& weight,
                 const at::Tensor& bias) {
  constexpr double tau = 0.07;
  const auto has = [](const Tokens& t, std::int64_t i, std::int64_t k) {
    return t.mask[i][k].item<bool>() && t.embeddings[i][k].abs().sum().item<double>() > 0;
  };
  if (!has(asks, b, q)) return at::zeros({8}, at::kDouble);
  double most = -1e300, sum = 0;
  auto mixed = at::zeros({8}, at::kDouble);
  for (std::int64_t k = 0; k < answers.mask.size(1); ++k) {
    if (!has(answers, b, k)) continue;
    const double s = asks.embeddings[b][q].dot(answers.embeddings[b][k]).item<double>() / tau;
    most = std::max(most, s);
    sum += std::exp(s);
    mixed += std::exp(s) * answers.values[b][k];
  }
  if (sum == 0) return at::zeros({8}, at::kDouble);
  return weight.matmul(at::cat({mixed / sum, at::full({1}, most, at::kDouble)})) + bias;
}

BOOST_FIXTURE_TEST_CASE(adds_what_each_token_meets, Fixture) {
  const auto [v, x] = fusion->add_interaction(visual, text);
  double worst = 0;
  for (std::int64_t b = 0; b < 3; ++b) {
    for (std::int64_t k = 0; k < 4; ++k)
      worst = std::max(worst,
                       max_difference(v.values[b][k] - visual.values[b][k],
                                      given(visual, text, b, k, parameter("visual.weight"), parameter("visual.bias"))));
    for (std::int64_t k = 0; k < 5; ++k)
      worst =
          std::max(worst, max_difference(x.values[b][k] - text.values[b][k],
                                         given(text, visual, b, k, parameter("text.weight"), parameter("text.bias"))));
  }
  at_most("tokens with interaction against loops in float64", worst, 1e-6);  // tau is a float32 at first
  at_most("z", max_difference(fusion->fuse(visual, text), fusion->inner()->fuse(v, x)), 1e-12);
  at_most("z of the tokens", max_difference(fusion->fuse_tokens(visual, text).z, fusion->fuse(visual, text)), 1e-12);
}

BOOST_FIXTURE_TEST_CASE(without_regions_it_is_the_inner_encoder, Fixture) {
  const auto third = at::tensor({2}, at::kLong);
  const auto v = visual.select(third), x = text.select(third);
  at_most("z", max_difference(fusion->fuse(v, x), fusion->inner()->fuse(v, x)), 1e-12);
}

BOOST_FIXTURE_TEST_CASE(what_lies_nearer_counts_more, Fixture) {
  const auto before = fusion->add_interaction(visual, text).second.values;
  visual.embeddings[0][1] = text.embeddings[0][2];
  const auto after = fusion->add_interaction(visual, text).second.values;
  BOOST_TEST(max_difference(before[0], after[0]) > 1e-3);
  at_most("other samples", max_difference(before[1], after[1]), 1e-12);
}

BOOST_FIXTURE_TEST_CASE(what_is_refused, Fixture) {
  auto bare = visual;
  bare.embeddings = at::Tensor();
  throws_with([&] { fusion->fuse(bare, text); }, "fusion::LateInteractionFusion", "visual vectors");
  throws_with([] { LateInteractionFusion(std::make_shared<rc3::fusion::SingleStream>(), {.tau = 0}); }, "tau", "is 0");
}

BOOST_AUTO_TEST_SUITE_END()
