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
    if (task == "retrieval")
      retrieve(world, seed, results);
    else if (task == "translation")
      translate(world, seed, results);
    else
      classify(world, task, seed, results);
  }
  return results;
}

/// The table as a page.
void write_report(const World& world, const rc3::task::Results& results) {
  namespace report = rc3::train::report;
  report::Report page;
  page.title = "Downstream tasks: " + Model::name();
  page.subtitle = rc3::join("tuned on ", source, ", ", world.settings.seeds, " seeds");
  report::Table table{"percent, by language; BLEU and chrF of translation", results.columns(), {}};
  for (const auto& row : results.rows()) table.rows.push_back({row.metric + ", " + row.look, row.cells, row.task});
  page.tables.push_back(std::move(table));
  page.environment = report::environment();
  report::write_report(world.settings.out / "report.html", page);
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
  write_report(world, results);
  std::cout << "\nresults.json, results.csv and report.html are in " << settings.out.string() << "\n";
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
