// The two pretrained encoders; benchmarks/compare.py runs them in turns with benchmarks/peers/encoders.py.
// The counter "items" is texts or images a second.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "rc3/core/reuse_memory.hpp"
#include "rc3/text/text.hpp"
#include "rc3/train/precision.hpp"
#include "rc3/visual/visual.hpp"

namespace bench::encoders {
namespace {

std::filesystem::path weights() {
  const char* cache = std::getenv("RC3_CACHE");
  return std::filesystem::path(cache != nullptr ? cache : "") / "weights";
}

rc3::train::Precision precision(const benchmark::State& state, int argument) {
  return state.range(argument) != 0 ? rc3::train::Precision::bfloat16 : rc3::train::Precision::float32;
}

/// A query, texts of the length that emoji names have, and captions. The last argument is 1 for bfloat16.
void bert(benchmark::State& state) {
  rc3::reuse_memory();  // as in the tool
  const auto model = rc3::text::Bert::from_pretrained(weights() / "multilingual-e5-small");
  model->eval();
  const c10::InferenceMode inference;
  const rc3::train::Autocast autocast(precision(state, 2));
  const auto batch = state.range(0), length = state.range(1);
  const rc3::Texts texts{at::randint(4, 200'000, {batch, length}, at::kLong), at::ones({batch, length}, at::kBool), {}};
  for (auto _ : state) benchmark::DoNotOptimize(model->pool(model->encode(texts)).data_ptr());
  state.counters["items"] =
      benchmark::Counter(static_cast<double>(batch * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(bert)
    ->ArgsProduct({{1}, {12}, {0, 1}})
    ->ArgsProduct({{128}, {8}, {0, 1}})
    ->ArgsProduct({{32}, {64}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void efficientnet_lite0(benchmark::State& state) {
  const auto model = rc3::visual::backbone::EfficientNetLite0::from_pretrained(weights() / "efficientnet-lite0");
  model->eval();
  const c10::InferenceMode inference;
  const rc3::train::Autocast autocast(precision(state, 1));
  const auto batch = state.range(0);
  rc3::Images images;
  images.pixels = at::randint(0, 256, {batch, 3, 224, 224}).to(at::kByte);
  for (auto _ : state) benchmark::DoNotOptimize(model->features(images).data_ptr());
  state.counters["items"] =
      benchmark::Counter(static_cast<double>(batch * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(efficientnet_lite0)->ArgsProduct({{32}, {0, 1}})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace bench::encoders
