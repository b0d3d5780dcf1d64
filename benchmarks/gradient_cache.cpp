// Gradient caching: peak memory and time of R-XVtCL over 4,096 pairs, against one chunk of 64.
//
// The limit that is aimed at: the peak of 4,096 pairs is at most 1.25 times that of one chunk plus the representations.
#include <benchmark/benchmark.h>
#include <rc3/rc3.hpp>

#include "peak.hpp"

namespace bench::gradient_cache {
namespace {

using Model = rc3::Model<rc3::visual::Roi, rc3::text::Bert>;
using Contrast =
    rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, rc3::objective::negatives::SameImage>;

struct Setting {
  std::shared_ptr<Model> model;
  std::shared_ptr<Contrast> objective;
  rc3::Batch batch;
};

Setting setting(std::int64_t n) {
  at::manual_seed(1);
  rc3::Batch b;
  b.images.regions = at::randn({n, 16, 64});
  b.images.boxes = at::tensor({0.f, 0.f, 8.f, 8.f}).expand({n, 16, 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.f);
  for (rc3::Texts* t : {&b.a, &b.b}) *t = {at::randint(4, 1000, {n, 12}, at::kLong), at::ones({n, 12}, at::kBool), {}};
  b.image_ids = at::arange(n);
  const auto model = std::make_shared<Model>(
      std::make_shared<rc3::visual::Roi>(rc3::visual::RegionEmbeddingOptions{.features = 64, .width = 128}),
      std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
          .vocabulary = 1000, .width = 128, .layers = 2, .heads = 4, .feed_forward = 512, .positions = 32}),
      std::make_shared<rc3::fusion::SingleStream>(
          rc3::fusion::SingleStreamOptions{.width = 128, .layers = 1, .heads = 4}));
  model->train();
  return {model, std::make_shared<Contrast>(rc3::objective::RXvtclOptions{.hidden_images = 0}), b};
}

void zero_gradients(Setting& s) {
  // Kept allocated: an optimizer does so as well, and it is the same in all settings.
  for (const auto* module :
       {static_cast<torch::nn::Module*>(s.model.get()), static_cast<torch::nn::Module*>(s.objective.get())})
    for (auto& p : module->parameters()) p.mutable_grad() = at::zeros_like(p);
}

void cached(benchmark::State& state) {
  const auto n = state.range(0), chunk = std::int64_t{64};
  auto s = setting(n);
  zero_gradients(s);
  double peak = 0;
  for (auto _ : state) {
    const Peak memory;
    rc3::backward_cached(*s.model, *s.objective, s.batch, {.chunk = chunk, .block = 64});
    peak = memory.rise();
  }
  // z^a, z^b, their two further candidates, and the gradient of each.
  const double representations = static_cast<double>(n) * 8 * 128 * 4 / (1 << 20);
  state.counters["peak_MB"] = peak;
  state.counters["representations_MB"] = representations;
  state.counters["pairs_per_s"] =
      benchmark::Counter(static_cast<double>(n * state.iterations()), benchmark::Counter::kIsRate);
}

void direct(benchmark::State& state) {
  auto s = setting(state.range(0));
  zero_gradients(s);
  double peak = 0;
  for (auto _ : state) {
    const Peak memory;
    rc3::objective::ForwardCache<Model> forward(*s.model, s.batch);
    s.objective->loss(forward).backward();
    peak = memory.rise();
  }
  state.counters["peak_MB"] = peak;
  state.counters["pairs_per_s"] =
      benchmark::Counter(static_cast<double>(state.range(0) * state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK(cached)->Arg(64)->Arg(1024)->Arg(4096)->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(direct)->Arg(64)->Arg(1024)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace

}  // namespace bench::gradient_cache
