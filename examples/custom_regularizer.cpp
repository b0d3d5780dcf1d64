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
  const auto model = make_model(visual::Roi({.features = 4, .width = 8}),
                                text::Bert({.vocabulary = 10, .width = 8, .layers = 1, .heads = 2}),
                                fusion::SingleStream({.width = 8, .layers = 1, .heads = 2}));
  model->eval();
  Batch batch;  // three images with two regions each, two texts of five tokens
  batch.images.regions = at::rand({3, 2, 4});
  batch.images.boxes = at::tensor({0.f, 0.f, 8.f, 8.f}).expand({3, 2, 4});
  batch.images.sizes = at::full({3, 2}, 8.f);
  batch.a = {at::randint(10, {3, 5}, at::kLong), at::ones({3, 5}, at::kBool), {}};
  batch.b = {at::randint(10, {3, 5}, at::kLong), at::ones({3, 5}, at::kBool), {}};
  objective::ForwardCache<Variant> pass(*model, batch);
  const auto loss = [&](double lambda) {
    return Contrast({.lambda = lambda, .hidden_images = 0}, Floor{}, relevance::Constant(1)).loss(pass).item<double>();
  };
  const auto similarity = (nn::l2_normalize(pass.z_a()) * nn::l2_normalize(pass.z_b())).sum(1);
  const double expected = (1 - similarity).square().mean().item<double>();
  const double penalty = (loss(1000) - loss(0)) / 1000;
  std::cout << "penalty " << penalty << ", by hand " << expected << '\n';
  return expected > 0 && std::abs(penalty - expected) < 1e-3 * expected ? 0 : 1;
}
