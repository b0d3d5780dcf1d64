#include "rc3/model/gradient_cache.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/fusion/fusion.hpp"
#include "rc3/model/model.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/visual/visual.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(model_gradient_cache)

using namespace rc3::test;
using rc3::Batch;
using Model = rc3::Model<rc3::visual::Roi, rc3::text::Bert>;
using Contrast =
    rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, rc3::objective::negatives::SameImage>;

/// Dropout everywhere, in float64.
std::shared_ptr<Model> model() {
  torch::manual_seed(1);
  const auto made = std::make_shared<Model>(
      std::make_shared<rc3::visual::Roi>(
          rc3::visual::RegionEmbeddingOptions{.features = 4, .width = 8, .dropout = 0.2}),
      std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
          .vocabulary = 30, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8, .dropout = 0.2}),
      std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.2}));
  made->to(at::kDouble);
  made->train();
  return made;
}

Batch batch(std::int64_t n) {
  torch::manual_seed(2);
  Batch b;
  b.images.regions = at::randn({n, 3, 4}, at::kDouble);
  b.images.boxes = at::tensor({0.0, 0.0, 8.0, 8.0}, at::kDouble).expand({n, 3, 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.0, at::kDouble);
  b.a = {at::randint(4, 30, {n, 5}, at::kLong), at::ones({n, 5}, at::kBool), {}};
  b.b = {at::randint(4, 30, {n, 5}, at::kLong), at::ones({n, 5}, at::kBool), {}};
  b.image_ids = at::arange(n);
  return b;
}

std::shared_ptr<Contrast> contrast() {
  const auto made = std::make_shared<Contrast>(rc3::objective::RXvtclOptions{}, rc3::regularizer::Ceiling(0.1),
                                               rc3::relevance::Constant(0.3));
  made->to(at::kDouble);
  return made;
}

std::vector<at::Tensor> gradients(const torch::nn::Module& a, const torch::nn::Module& b) {
  std::vector<at::Tensor> found;
  for (const auto* module : {&a, &b})
    for (const auto& p : module->parameters())
      found.push_back(p.grad().defined() ? p.grad().clone() : at::zeros_like(p));
  return found;
}

double difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double worst = 0, scale = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    worst = std::max(worst, max_difference(a[k], b[k]));
    scale = std::max(scale, b[k].abs().max().item<double>());
  }
  return worst / scale;
}

/// The direct way with chunks: every chunk's graph is kept until the loss is known.
std::pair<double, std::vector<at::Tensor>> direct(const Batch& whole, std::int64_t chunk, std::uint64_t seed) {
  const auto m = model();
  const auto objective = contrast();
  torch::manual_seed(seed);
  rc3::objective::Representations r;
  std::vector<std::unique_ptr<Batch>> kept;
  for (std::int64_t begin = 0; begin < whole.size(); begin += chunk) {
    kept.push_back(std::make_unique<Batch>(whole.select(at::arange(begin, std::min(whole.size(), begin + chunk)))));
    rc3::objective::ForwardCache<Model> forward(*m, *kept.back(), whole, begin);
    auto part = objective->represent(forward);
    if (begin == 0) {
      r = part;
      continue;
    }
    for (std::size_t k = 0; k < part.learned.size(); ++k) r.learned[k] = at::cat({r.learned[k], part.learned[k]}, 0);
    r.fixed[0] = at::cat({r.fixed[0], part.fixed[0]}, 0);
  }
  const auto loss = objective->rows_loss(r, whole, 0, whole.size());
  loss.backward();
  return {loss.item<double>(), gradients(*m, *objective)};
}

BOOST_AUTO_TEST_CASE(with_dropout_the_second_pass_draws_the_masks_of_the_first) {
  const auto whole = batch(7);
  for (const auto& [chunk, block] : {std::pair{7, 7}, {3, 2}, {1, 7}, {4, 1}}) {
    const auto [loss, expected] = direct(whole, chunk, 11);
    const auto m = model();
    const auto objective = contrast();
    torch::manual_seed(11);
    const double cached = rc3::backward_cached(*m, *objective, whole, {.chunk = chunk, .block = block});
    at_most(rc3::join("loss, chunks of ", chunk), std::abs(cached - loss), 1e-12);
    at_most(rc3::join("gradients, chunks of ", chunk, ", relative"), difference(gradients(*m, *objective), expected),
            1e-10);
    // And the stream of random numbers goes on as it does after one pass.
    const auto next = at::rand({3});
    direct(whole, chunk, 11);
    BOOST_TEST(at::rand({3}).equal(next));
  }
  // Other masks, other gradients: the agreement above is not for want of dropout.
  at_least("another seed, relative", difference(direct(whole, 3, 12).second, direct(whole, 3, 11).second), 1e-3);
}

BOOST_AUTO_TEST_CASE(a_weight_scales_loss_and_gradients_and_calls_add_up) {
  const auto whole = batch(5);
  const auto [loss, expected] = direct(whole, 2, 11);
  const auto m = model();
  const auto objective = contrast();
  for (const double weight : {0.25, 0.5}) {
    torch::manual_seed(11);
    const double cached = rc3::backward_cached(*m, *objective, whole, {.chunk = 2, .block = 3}, weight);
    at_most("weighted loss", std::abs(cached - weight * loss), 1e-12);
  }
  auto scaled = expected;
  for (auto& g : scaled) g = g * 0.75;
  at_most("gradients of two weights, relative", difference(gradients(*m, *objective), scaled), 1e-10);
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  const auto m = model();
  const auto objective = contrast();
  throws_with([&] { rc3::backward_cached(*m, *objective, batch(2), {.chunk = 0}); }, "backward_cached", "chunk");
  throws_with([&] { rc3::backward_cached(*m, *objective, Batch{}); }, "empty");
}

BOOST_AUTO_TEST_SUITE_END()
