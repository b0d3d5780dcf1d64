// Cost of one step, of one pass of a text encoder and of one step with gradient caching, at given sizes;
// benchmarks/rows/growth.py asks for a number of sizes and fits how the cost grows.
//   rc3_bench growth
// Each line that it reads is "step", "texts" or "cached" and name=value as in small_model.hpp. The answer is a line of
// JSON: {"seconds": median, "resident_mb": of a step with two samples, "peak_mb": ...}.

#include <rc3/rc3.hpp>

#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "peak.hpp"
#include "programs.hpp"
#include "small_model.hpp"
#include "worker.hpp"

namespace bench::growth {
namespace {

using namespace small;
using Json = nlohmann::ordered_json;

/// Median time of @p work after runs that count as warm-up, and the peak of all of them.
template <class Work>
Json measured(const Facts& f, const Work& work) {
  const Peak memory;
  std::vector<double> seconds;
  for (std::int64_t k = 0; k < f["warm_up"] + f["steps"]; ++k) {
    const auto begin = Clock::now();
    work();
    if (k >= f["warm_up"]) seconds.push_back(since(begin));
  }
  return {{"seconds", median(seconds)}, {"resident_mb", memory.before()}, {"peak_mb", memory.before() + memory.rise()}};
}

/// After a step with two samples, which leaves the optimizer's moments.
struct Training {
  std::shared_ptr<Trained> model;
  rc3::train::Trainer<Trained> trainer;
  rc3::Batch samples;

  explicit Training(const Facts& f) : model(trained(f)), trainer(model, longer(f)), samples(batch(f, 0)) {
    trainer.step(samples.select(at::arange(2)));
  }
  static rc3::train::Options longer(const Facts& f) {
    auto all = options(f);
    ++all.schedule.total;
    return all;
  }
};

Json step(const Facts& f) {
  Training t(f);
  return measured(f, [&] { t.trainer.step(t.samples); });
}

Json cached(const Facts& f) {
  Training t(f);
  const auto contrast = in_batch();
  return measured(f, [&] {
    rc3::backward_cached(*t.model->model(), *contrast, t.samples, {.chunk = f["chunk"], .block = f["chunk"]});
  });
}

Json texts(const Facts& f) {
  at::manual_seed(1);
  rc3::text::Bert encoder(bert(f));
  encoder.eval();
  const c10::InferenceMode inference;
  const rc3::Texts some = random_texts(f, f["batch"]);
  return measured(f, [&] { encoder.pool(encoder.encode(some)); });
}

Json answer(const std::string& line) {
  std::istringstream words(line);
  std::string what;
  words >> what;
  std::vector<std::string> sizes;
  for (std::string word; words >> word;) sizes.push_back(word);
  const Facts facts(sizes);
  at::set_num_threads(static_cast<int>(facts["threads"]));
  if (what == "step") return step(facts);
  if (what == "cached") return cached(facts);
  rc3::require(what == "texts", "\"", what, "\" is none of: step, cached, texts");
  return texts(facts);
}

}  // namespace

}  // namespace bench::growth

int bench::run_growth(int count, char**) {
  return bench::run("rc3_bench growth", [&] {
    rc3::require(count == 1, "usage: rc3_bench growth, and a piece of work in each line of the input");
    rc3::reuse_memory();  // as in the tool
    std::cout << "{}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) std::cout << growth::answer(line) << std::endl;
  });
}
