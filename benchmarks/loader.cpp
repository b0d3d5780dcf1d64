// Feeding: tar shards of images with texts become batches of pixels and token ids. benchmarks/compare.py runs it and
// PyTorch's DataLoader (benchmarks/peers/loader.py) in turns on the same shards.
//
// RC3_BENCH_SHARDS: a folder with *.tar, for example what `rc3 pack` wrote. Emoji scenes are packed into it where it
// does not exist. RC3_BENCH_SCENES: how many (default: 4,000).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "emoji/scenes.hpp"
#include "emoji/split.hpp"
#include "rc3/data/format/pack.hpp"
#include "rc3/data/format/webdataset.hpp"
#include "rc3/data/loader/collate.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/prepare.hpp"

#ifdef RC3_TEST_TURBOJPEG
#include "rc3/io/image/turbojpeg.hpp"
#endif

namespace bench::loader {
namespace {

#ifdef RC3_TEST_TURBOJPEG
using Decoders = rc3::io::Decoders<rc3::io::TurboJpeg, rc3::io::Stb>;
#else
using Decoders = rc3::io::DefaultDecoders;
#endif

namespace data = rc3::data;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Emoji scenes in shards of 500, written when they are first needed.
std::filesystem::path shards() {
  const std::filesystem::path cache = environment("RC3_CACHE"), given = environment("RC3_BENCH_SHARDS"),
                              folder = given.empty() ? cache / "bench/scenes" : given;
  if (std::filesystem::exists(folder / "done") || (!given.empty() && std::filesystem::exists(folder))) return folder;
  const auto count = environment("RC3_BENCH_SCENES");
  std::filesystem::remove_all(folder);
  const auto glyphs = emoji::Glyphs::load(cache / "data/emoji");
  const std::vector<std::string> languages = {"en", "de", "fr", "cs", "ja", "zh"};
  const emoji::Scenes scenes(glyphs, emoji::Split::load(cache / "data/emoji", glyphs).train, languages, languages,
                             count.empty() ? 4000 : std::stoll(count), {});
  data::DataErrors errors;
  data::pack(scenes, folder, errors, {.prefix = "scenes", .samples = 500});
  rc3::io::write_file(folder / "done", "");
  return folder;
}

/// One epoch after another with so many workers; "items" is samples a second.
void loader(benchmark::State& state) {
  data::DataErrors errors;
  const data::WebDataset source(data::shards_of(shards()), errors);
  const auto tokenizer = rc3::text::Tokenizer::from_pretrained(std::filesystem::path(environment("RC3_CACHE")) /
                                                               "weights/multilingual-e5-small");
  const data::PrepareSample<Decoders> prepare(tokenizer, source.languages(),
                                              {.augment = rc3::preprocess::AugmentOptions{}});
  data::LoaderOptions options;
  options.workers = static_cast<int>(state.range(0));
  data::Loader loader(source, prepare, data::CollateSamples(), errors, options);
  loader.next();  // the threads' start is not counted
  std::int64_t samples = 0;
  for (auto _ : state) {
    const auto loaded = loader.next();
    samples += loaded->batch.size();
    benchmark::DoNotOptimize(loaded->batch.images.pixels.data_ptr());
  }
  state.counters["items"] = benchmark::Counter(static_cast<double>(samples), benchmark::Counter::kIsRate);
}
BENCHMARK(loader)->Arg(0)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace bench::loader
