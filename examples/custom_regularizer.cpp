// A regularizer of one's own in R-XVtCL: two inputs must be at least as close as their texts are relevant.
#include <rc3/rc3.hpp>

#include <cmath>
#include <iostream>

/// Omega = mean_i max(0, rho_i - s_i)^2
struct Floor {
  at::Tensor penalty(const rc3::regularizer::Pairs& pairs) const {
    return (pairs.relevance - pairs.similarity).clamp_min(0).square().mean();
  }
};
static_assert(rc3::regularizer::Policy<Floor>);

int main() {
  using namespace rc3;
  using Variant = Model<visual::Roi, text::Bert>;
  using Contrast = objective::RXvtcl<Floor, relevance::Constant>;
  at::manual_seed(1);
  const auto model = std::make_shared<Variant>(
      std::make_shared<visual::Roi>(visual::RegionEmbeddingOptions{.features = 4, .width = 8}),
      std::make_shared<text::Bert>(text::BertOptions{
          .vocabulary = 10, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 6}),
      std::make_shared<fusion::SingleStream>(
          fusion::SingleStreamOptions{.width = 8, .layers = 1, .heads = 2, .feed_forward = 16}));
  model->eval();  // no dropout
  Batch batch;  // three pictures with two regions each, two texts of five tokens
  batch.pictures = {.regions = at::rand({3, 2, 4}), .boxes = at::tensor({0., 0., 8., 8.}).expand({3, 2, 4}), .sizes = at::full({3, 2}, 8.)};
  for (Texts* texts : {&batch.a, &batch.b}) *texts = {at::randint(10, {3, 5}, at::kLong), at::ones({3, 5}, at::kBool), {}};

  objective::Pass<Variant> pass(*model, batch);
  const auto loss = [&](double lambda) { return Contrast({.lambda = lambda}, Floor{}, relevance::Constant(1)).loss(pass).item<double>(); };
  const double penalty = loss(1) - loss(0);
  const double expected = (1 - (nn::unit(pass.z_a()) * nn::unit(pass.z_b())).sum(1)).square().mean().item<double>();
  std::cout << "penalty " << penalty << ", by hand " << expected << '\n';
  return expected > 0 && std::abs(penalty - expected) < 1e-5 ? 0 : 1;
}
