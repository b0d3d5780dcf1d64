// The two pretrained encoders, and, in the same run, the Python peer that does the same: `./run bench`.
// The counter "items" is texts or images a second; benchmarks/peers/encoders.py prints the peer's and the ratio.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "rc3/text/text.hpp"
#include "rc3/visual/visual.hpp"

namespace {

std::filesystem::path weights() {
  const char* cache = std::getenv("RC3_CACHE");
  return std::filesystem::path(cache != nullptr ? cache : "") / "weights";
}

/// Texts of the length that emoji names have.
void bert(benchmark::State& state) {
  const c10::InferenceMode inference;
  const auto model = rc3::text::Bert::from_pretrained(weights() / "multilingual-e5-small");
  model->eval();
  const auto batch = state.range(0), length = state.range(1);
  const rc3::Texts texts{at::randint(4, 200'000, {batch, length}, at::kLong), at::ones({batch, length}, at::kBool), {}};
  for (auto _ : state) benchmark::DoNotOptimize(model->pool(model->encode(texts)).data_ptr());
  state.counters["items"] =
      benchmark::Counter(static_cast<double>(batch * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(bert)->Args({128, 8})->Args({32, 64})->UseRealTime()->Unit(benchmark::kMillisecond);

void efficientnet_lite0(benchmark::State& state) {
  const c10::InferenceMode inference;
  const auto model = rc3::visual::backbone::EfficientNetLite0::from_pretrained(weights() / "efficientnet-lite0");
  model->eval();
  const auto batch = state.range(0);
  rc3::Images images;
  images.pixels = at::randint(0, 256, {batch, 3, 224, 224}).to(at::kByte);
  for (auto _ : state) benchmark::DoNotOptimize(model->features(images).data_ptr());
  state.counters["items"] =
      benchmark::Counter(static_cast<double>(batch * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(efficientnet_lite0)->Arg(32)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
