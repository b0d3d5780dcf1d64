#pragma once
/// Fine-tuning of a pre-trained variant on downstream tasks, with evaluation in other languages, see
/// docs/guides/tasks.md. Needs CLI11.

#include <ATen/Parallel.h>
#include <torch/utils.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/reuse_memory.hpp"
#include "rc3/experiment/program.hpp"
#include "rc3/experiment/tasks/classify.hpp"
#include "rc3/experiment/tasks/context.hpp"
#include "rc3/experiment/tasks/retrieve.hpp"
#include "rc3/experiment/tasks/settings.hpp"
#include "rc3/experiment/tasks/translate.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/folder_lock.hpp"
#include "rc3/task/results.hpp"
#include "rc3/train/launcher.hpp"
#include "rc3/train/report.hpp"

namespace rc3::experiment {

namespace detail {

/// The table as an HTML page. @param seeds  number of seeds in the mean
template <class E>
void write_report(const TaskContext<E>& context, const config::Provenance& sources, const task::Results& results,
                  std::int64_t seeds) {
  namespace report = train::report;
  const auto& s = context.settings;
  report::Report page;
  page.title = "Downstream tasks";
  page.subtitle = join(TaskContext<E>::Model::name(), ", tuned on ", s.task.source);
  page.summary = {{"seeds", std::to_string(seeds)}, {"languages", std::to_string(results.languages().size())}};
  for (const bool controls : {false, true}) {
    report::Table table{controls ? "Controls: images shuffled, or blank" : "Percent; BLEU and chrF of translation",
                        results.columns(),
                        {}};
    table.best = !controls;
    for (const auto& row : results.rows())
      if ((row.ablation == "shuffled" || row.ablation == "blank") == controls)
        table.rows.push_back({row.metric + ", " + row.ablation, row.cells, row.task});
    if (!table.rows.empty()) page.tables.push_back(std::move(table));
  }
  page.configuration = config::to_json(s);
  page.sources = sources;
  page.environment = report::environment();
  report::write_report(s.out / "report.html", page);
}

template <class E>
void write_tables(const TaskContext<E>& context, const config::Provenance& sources, const task::Results& results,
                  std::int64_t seeds) {
  const auto& out = context.settings.out;
  io::write_file(out / "results.json", results.json().dump(2) + '\n');
  io::write_file(out / "results.csv", results.csv());
  write_report(context, sources, results, seeds);
}

/// @throws rc3::Error naming an option that has no effect on the tasks
inline void check_effect(const std::vector<std::string>& tasks, const Tuning& tune) {
  const bool classifies = std::any_of(
      tasks.begin(), tasks.end(), [](const std::string& name) { return name != "retrieval" && name != "translation"; });
  require(tune.shots == 0 || classifies, "tune.shots: has no effect on retrieval and translation; leave it out");
}

template <class E>
void run_tasks(const TaskSettings<typename E::Config>& settings, const config::Provenance& sources) {
  check_effect(settings.task.names, settings.tune);
  const TaskContext<E> context(settings);
  std::cout << TaskContext<E>::Model::name() << "\ndevice      " << context.device.str() << ", "
            << config::Names<train::Precision>::all[static_cast<std::size_t>(context.precision)] << '\n'
            << config::described(settings, sources) << std::flush;
  io::make_folder(settings.out);
  const io::FolderLock lock(settings.out);
  std::vector<task::Results> seeds;
  task::Results mean(settings.task.source);
  for (std::int64_t k = 0; k < settings.tune.seeds; ++k) {
    const auto seed = settings.tune.first_seed + static_cast<std::uint64_t>(k);
    std::cout << "seed " << seed << std::endl;
    task::Results results(settings.task.source);
    for (const auto& name : settings.task.names) {
      at::manual_seed(seed);
      if (name == "retrieval")
        retrieve(context, seed, results);
      else if (name == "translation")
        translate(context, seed, results);
      else
        classify(context, name, seed, results);
    }
    seeds.push_back(std::move(results));
    // Written after each seed: an interruption loses only the current one.
    mean = task::Results::mean_of(seeds);
    write_tables(context, sources, mean, k + 1);
  }
  std::cout << context.errors.left_aside() << context.errors.report();
  std::cout << '\n' << mean.text();
  std::cout << "\nresults.json, results.csv, report.html and what was answered are in " << settings.out.string()
            << std::endl;
}

}  // namespace detail

/// main() of a program of tasks: 0, or 1 with an error message.
/// @tparam E  an experiment's definition
template <class E>
int tasks_main(int argc, char** argv) {
  reuse_memory();
  CLI::App app{"Tunes " + TaskContext<E>::Model::name() + " on downstream tasks, and evaluates it in many languages"};
  TaskSettings<typename E::Config> settings;
  config::Provenance sources;
  config::add_options(app, settings, &sources);
  try {
    CLI11_PARSE(app, argc, argv);
    if (const auto ranks = train::launched())
      require(ranks->size == 1, ranks->by, " started ", ranks->size,
              " processes: this program runs on one rank, each would do the same");
    if (settings.threads > 0) at::set_num_threads(static_cast<int>(settings.threads));
    detail::run_tasks<E>(settings, sources);
    return 0;
  } catch (const Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace rc3::experiment
