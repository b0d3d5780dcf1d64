// From the start of a process to the first embedding of a text: benchmarks/compare.py times the whole process, and that
// of benchmarks/peers/start.py.  rc3_bench start <directory of multilingual-e5>

#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <future>
#include <vector>

#include "programs.hpp"
#include "rc3/text/text.hpp"

int bench::run_start(int count, char** arguments) try {
  const std::filesystem::path folder = count > 1 ? arguments[1] : "";
  auto reading = std::async(std::launch::async, [&] { return rc3::text::Tokenizer::from_pretrained(folder); });
  const auto model = rc3::text::Bert::from_pretrained(folder);
  model->eval();
  const auto tokenizer = reading.get();
  const std::vector<std::vector<std::int64_t>> ids{tokenizer.encode("query: a dog in the snow")};
  const c10::InferenceMode inference;
  const auto vector = model->pool(model->encode(rc3::text::pad_batch(ids, 1, tokenizer.pad_id())));
  std::printf("%.5f\n", vector[0][0].item<double>());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "rc3_bench start: %s\n", error.what());
  return 1;
}
