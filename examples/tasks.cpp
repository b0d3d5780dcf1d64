// Fine-tunes a pre-trained model on English, task by task, and shows what it can do in languages that the tuning never
// saw. `./run tasks` prepares what it needs and runs it; `tasks --help` says what can be set.

#include <malloc.h>

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>

#include "tasks/classify.hpp"
#include "tasks/retrieve.hpp"
#include "tasks/settings.hpp"
#include "tasks/translate.hpp"
#include "tasks/world.hpp"

namespace {

using namespace tasks;

rc3::task::Results one_seed(const World& world, std::uint64_t seed) {
  rc3::task::Results results(source);
  at::manual_seed(seed);
  for (const auto& task : world.settings.which) {
    if (task == "entailment") classify(world, entailment(), seed, results);
    if (task == "questions") classify(world, questions(), seed, results);
    if (task == "reasoning") classify(world, reasoning(), seed, results);
    if (task == "retrieval") retrieve(world, seed, results);
    if (task == "translation") translate(world, seed, results);
  }
  return results;
}

void run(const Settings& settings) {
  at::set_num_threads(settings.threads);
  std::filesystem::create_directories(settings.out);
  const World world(settings);
  std::vector<rc3::task::Results> seeds;
  for (int k = 0; k < settings.seeds; ++k) {
    std::cout << "seed " << settings.first_seed + k << "\n";
    seeds.push_back(one_seed(world, static_cast<std::uint64_t>(settings.first_seed + k)));
  }
  const auto results = rc3::task::Results::mean_of(seeds);
  std::cout << "\n" << results.text();
  rc3::io::write_file(settings.out / "results.json", results.json().dump(2) + '\n');
  rc3::io::write_file(settings.out / "results.csv", results.csv());
}

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // tensors of megabytes come and go at every step
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Settings settings;
  CLI::App app{"Five downstream tasks on emoji scenes, tuned on English, in many languages."};
  settings.add_to(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(settings.resolved());
    return 0;
  } catch (const rc3::Error& error) {
    std::cerr << "\ntasks: " << error.what() << '\n';
    return 1;
  }
}
