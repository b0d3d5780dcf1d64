#pragma once
/// Run: a training from its first step to its last, across any number of interruptions.

#include <ATen/ops/tensor.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/json.hpp"
#include "rc3/config/provenance.hpp"
#include "rc3/data/loader/identity.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/io/folder_lock.hpp"
#include "rc3/io/json.hpp"
#include "rc3/train/background.hpp"
#include "rc3/train/checkpoint.hpp"
#include "rc3/train/checkpoint/changed_options.hpp"
#include "rc3/train/checkpoint/store.hpp"
#include "rc3/train/evaluation_mode.hpp"
#include "rc3/train/fields.hpp"
#include "rc3/train/learned_state.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/run_logger.hpp"
#include "rc3/train/signals.hpp"
#include "rc3/train/trainer.hpp"

namespace rc3::train {

/// Checkpoints, log and report of a Run.
struct RunOptions {
  CheckpointOptions checkpoint = {};               ///< folder, frequency, number kept
  LogOptions log = {};                             ///< frequency of lines, event file, report
  nlohmann::ordered_json configuration = nullptr;  ///< of the run; stored in every checkpoint
  config::Provenance sources = {};                 ///< origin of its values, stored with it; empty: unknown
  std::string label = "train";                     ///< of the progress line
  bool keep_best = false;                          ///< final weights are those of the best evaluation; see evaluate()
  std::vector<std::string> fixed = {};     ///< options of `configuration`, or groups, without effect on a resumed run
  std::vector<std::string> training = {};  ///< options without effect once all steps are done
};

/// The best evaluation of a run.
struct BestEvaluation {
  double metric = 0;      ///< higher is better
  std::int64_t step = 0;  ///< the last step before the evaluation
};

/// How a run ended.
enum class StopReason {
  complete,  ///< all steps of Schedule::total are done
  data,      ///< the source has no more batches
  stopped    ///< by SIGINT or SIGTERM; a checkpoint is written
};

/// Trains, writes checkpoints, reports progress. In a folder with checkpoints, a run continues from the newest complete
/// one. The result equals that of an uninterrupted run bit for bit (with the same number of compute threads).
///
///     train::Run run(trainer, {.checkpoint = {.folder = "runs/first"}});
///     data::Loader loader(source, prepare, collate, errors, options, lengths, run.loader_state());
///     run.train(loader);
///
/// With several ranks, all must have access to the folder; rank 0 writes, and locks it: a second program is refused.
/// @tparam System  io::System, or a replacement in tests
template <class Trained, Communicator Comm = Single, class System = io::System>
class Run {
 public:
  using Batch = BatchOf<Trained>;

  /// @param trainer  outlives this; its state is replaced if there is a checkpoint
  /// @throws rc3::Error if all checkpoints of the folder are damaged, or the newest does not fit this program; if
  ///         another program writes to the folder; for a changed option that a resume cannot take (RunOptions::fixed)
  explicit Run(Trainer<Trained, Comm>& trainer, RunOptions options = {}, std::ostream& out = std::cout,
               System system = {})
      : trainer_(trainer), options_(std::move(options)), out_(out) {
    config::check(options_.checkpoint, "train::Run: checkpoint");
    config::check(options_.log, "train::Run: log");
    if (!options_.checkpoint.folder.empty()) {
      store_.emplace(options_.checkpoint.folder, options_.checkpoint.keep, std::move(system));
      if (first()) lock_.emplace(options_.checkpoint.folder);
      resume();
    }
    agree_on_the_step();
    if (!first()) return;
    RunLogger::Facts facts{trainer_.variant(), {}, trainer_.options().schedule.total, trainer_.steps(), options_.label};
    if constexpr (requires { Trained::objective_names(); }) facts.parts = Trained::objective_names();
    logger_.emplace(options_.log, options_.checkpoint.folder, std::move(facts), out_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// State for the loader to continue from; nullopt for a new run.
  const std::optional<data::LoaderState>& loader_state() const { return loader_state_; }
  /// Step to continue from; 0 for a new run.
  std::int64_t resumed_at() const { return resumed_at_; }

  /// Evaluates @p metric after every @p every steps and after the last, on every rank, and with the averaged weights if
  /// Options::ema is set. Rank 0's value counts. Higher is better: the best checkpoint stays, among equal ones the
  /// earliest. RunOptions::keep_best holds a copy of its weights in memory and restores it when training ends.
  /// @throws rc3::Error unless @p every is above 0
  void evaluate(std::int64_t every, std::function<double()> metric) {
    require(every > 0, "train::Run: evaluate: every must be above 0, is ", every);
    evaluate_every_ = every;
    metric_ = std::move(metric);
  }

  /// Sets tables for the report, for example recall by language. Called when training ends, on every rank, and with the
  /// averaged weights if Options::ema is set. The report shows those of rank 0.
  void tables(std::function<std::vector<report::Table>()> make) { tables_ = std::move(make); }

  /// The best evaluation so far, those before a resume included (not with RunOptions::keep_best, whose weights are
  /// lost); nullopt before the first.
  const std::optional<BestEvaluation>& best() const { return best_; }

  /// Number of checkpoints that could not be written so far.
  std::int64_t unwritten() const { return unwritten_; }
  /// Logger of the run; null on ranks other than 0.
  const RunLogger* watch() const { return logger_ ? &*logger_ : nullptr; }

  /// Trains up to Schedule::total steps.
  /// @tparam Source  `next()` returns a std::optional<data::Loaded<BatchOf<Trained>>>, `state()` a data::LoaderState.
  ///                 Optional: `next(stop)`, which returns nullopt soon after stop() is true, so that a signal ends a
  ///                 wait for data. It is used on one rank; several must stop after the same step.
  ///                 It is called in the run's precision, since batches of cached features are computed there
  /// @throws rc3::Error as Trainer::step, and if the last checkpoint cannot be written; earlier failures are reported
  ///         and tried again
  template <class Source>
  StopReason train(Source& source) {
    Signals signals;
    const auto total = trainer_.options().schedule.total;
    while (trainer_.steps() < total) {
      const auto begin = Clock::now();
      std::vector<Batch> batches;
      while (static_cast<std::int64_t>(batches.size()) < trainer_.options().accumulate) {
        auto loaded = next_of(source, signals);
        if (!loaded) return end(stops_alone(signals) ? StopReason::stopped : StopReason::data);
        batches.push_back(std::move(loaded->batch));
      }
      const auto before = std::exchange(loader_state_, source.state());
      if (before && trainer_.steps() == resumed_at_) report_changes(*before, *loader_state_);
      const auto ready = Clock::now();
      const double rate = trainer_.learning_rate();
      const auto report = trainer_.step(batches);
      if (logger_) {
        const auto seconds = [&](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
        logger_->step({trainer_.steps(), loader_state_->epoch, report.loss, report.parts, rate, report.gradient_norm,
                       report.skipped, report.samples, tokens(batches), seconds(ready - begin),
                       seconds(Clock::now() - begin)});
      }
      const auto metric = evaluated();
      const auto [stop, save_now] = wishes(signals);
      if (stop || trainer_.steps() == total)
        save(metric);  // the last one: the caller receives the error
      else if (save_now || metric || trainer_.steps() % options_.checkpoint.every == 0)
        try_to_save(metric);
      if (stop) return end(StopReason::stopped);
    }
    return end(StopReason::complete);
  }

  /// Ends a run that has all its steps, without data: evaluates and writes the report again.
  /// @throws rc3::Error if steps are missing
  StopReason finish() {
    const auto total = trainer_.options().schedule.total;
    require(trainer_.steps() >= total, "train::Run: finish: has ", trainer_.steps(), " of ", total,
            " steps; train() makes the others");
    return end(StopReason::complete);
  }

  /// Writes a checkpoint of the current state unless this step has one; if asynchronous, only starts to.
  /// @throws rc3::Error if it could not be written
  void save(std::optional<double> metric = {}) {
    if (!store_ || saved_ == trainer_.steps()) return;
    saved_ = trainer_.steps();
    auto snapshot = trainer_.snapshot();  // a collective call
    if (!first()) return;
    snapshot.configuration = options_.configuration;
    if (!options_.sources.empty()) snapshot.sources = config::provenance_to_json(options_.sources);
    snapshot.state.loader = loader_state_;
    const auto write = [this, step = trainer_.steps(), metric](const Snapshot& s) {
      store_->save(
          step, [&](auto& writer) { s.write(writer); }, metric);
    };
    if (!options_.checkpoint.asynchronous) return write(snapshot);
    try {
      background_.wait();
    } catch (const Error& error) {
      unwritten(error);  // of the previous save
    }
    background_.start([write, copy = std::make_shared<Snapshot>(snapshot.copied())] { write(*copy); });
  }

 private:
  using Clock = std::chrono::steady_clock;

  static std::int64_t tokens(const std::vector<Batch>& batches) {
    std::int64_t all = 0;
    for (const Batch& batch : batches) all += batch.tokens();
    return all;
  }

  bool first() const { return trainer_.comm().rank() == 0; }

  bool stops_alone(const Signals& signals) const { return trainer_.comm().size() == 1 && signals.stop_wanted(); }

  template <class Source>
  auto next_of(Source& source, const Signals& signals) {
    const Autocast autocast(trainer_.precision(), trainer_.device());
    if constexpr (requires { source.next(std::function<bool()>()); })
      return source.next([&] { return stops_alone(signals); });
    else
      return source.next();
  }

  /// Says what a loader with data::Changes::allow took.
  void report_changes(const data::LoaderState& before, const data::LoaderState& now) {
    if (const auto other = data::differences(before, now); first() && !other.empty())
      out_ << "begins epoch " << now.epoch << ": " << other << std::endl;
  }

  /// Compares the options of the checkpoint in @p folder with those of this program.
  void check_options(const std::filesystem::path& folder) {
    const auto path = folder / "configuration.json";
    if (options_.configuration.is_null() || !std::filesystem::exists(path)) return;
    const auto changed = changed_options(io::read_json(path), options_.configuration);
    const bool done = RunState::read(folder).steps >= trainer_.options().schedule.total;
    std::vector<ChangedOption> refused;
    for (const auto& option : changed)
      if (is_in(option.name, options_.fixed) || (done && is_in(option.name, options_.training)))
        refused.push_back(option);
    require(refused.empty() || options_.checkpoint.changes == data::Changes::allow, folder.string(),
            ": options that a resume ", done ? "of a complete run " : "", "cannot change: ", in_words(refused),
            "; give the former values, another folder, or checkpoint.changes=allow");
    if (first() && !changed.empty()) out_ << "changed since " << folder.string() << ": " << in_words(changed) << '\n';
  }

  void resume() {
    if (first()) store_->remove_leftovers();
    const auto found = store_->newest();
    if (!found) return;
    for (const auto& why : found->damaged)
      if (first()) out_ << "checkpoint not taken: " << why << '\n';
    check_options(found->folder);
    loader_state_ = trainer_.restore(found->folder).loader;
    resumed_at_ = saved_ = trainer_.steps();
    if (const auto best = store_->best(); best && !options_.keep_best) best_ = {*store_->metric_of(*best), *best};
    if (first()) out_ << "resumed at step " << resumed_at_ << " from " << found->folder.string() << std::endl;
  }

  /// A rank that read another checkpoint than the others would silently train another model.
  void agree_on_the_step() {
    auto& comm = trainer_.comm();
    if (comm.size() == 1) return;
    for (const auto& other : comm.all_gather(at::tensor({resumed_at_}, at::kLong)))
      require(other.template item<std::int64_t>() == resumed_at_, "train::Run: rank ", comm.rank(),
              " goes on from step ", resumed_at_, ", another rank from step ", other.template item<std::int64_t>(),
              "; all ranks must see the folder ", options_.checkpoint.folder.string());
  }

  template <class Ask>
  auto as_evaluated(const Ask& ask) {
    const EvaluationMode evaluating(*trainer_.trained(), trainer_.ema());
    return ask();
  }

  std::optional<double> evaluated() {
    const auto step = trainer_.steps();
    if (!metric_ || (step % evaluate_every_ != 0 && step != trainer_.options().schedule.total)) return {};
    const double metric = as_evaluated([&] {
      const double value = of_first_rank(metric_());
      if (options_.keep_best) {
        require(!std::isnan(value), "train::Run: the metric after step ", step, " is not a number");
        if (!best_ || value > best_->metric) best_weights_ = copy_of(learned_state(*trainer_.trained()));
      }
      return value;
    });
    if (!best_ || metric > best_->metric) best_ = {metric, step};
    if (logger_) logger_->metric(step, metric);
    return metric;
  }

  double of_first_rank(double own) const {
    auto& comm = trainer_.comm();
    if (comm.size() == 1) return own;
    auto value = at::tensor({first() ? own : 0.0}, at::kDouble);
    comm.all_reduce(value);
    return value[0].template item<double>();
  }

  void add_tables() {
    auto made = as_evaluated(tables_);
    if (!logger_) return;
    for (auto& table : made) logger_->table(std::move(table));
  }

  /// Requests by signals on any rank: stop, save.
  std::pair<bool, bool> wishes(Signals& signals) {
    std::pair<bool, bool> all{signals.stop_wanted(), signals.take_save()};
    auto& comm = trainer_.comm();
    if (comm.size() == 1) return all;
    auto sum = at::tensor({std::int64_t{all.first}, std::int64_t{all.second}}, at::kLong);
    comm.all_reduce(sum);
    return {sum[0].template item<std::int64_t>() > 0, sum[1].template item<std::int64_t>() > 0};
  }

  /// During a run a full disk may have space again at the next checkpoint, and days of training are worth more than an
  /// immediate stop. At the end a failure is an error.
  void try_to_save(std::optional<double> metric) {
    try {
      save(metric);
    } catch (const Error& error) {
      unwritten(error);
    }
  }

  void unwritten(const Error& error) {
    ++unwritten_;
    out_ << "\ncheckpoint not written: " << error.what() << "; tried again at the next" << std::endl;
  }

  StopReason end(StopReason ending) {
    if (ending != StopReason::stopped || trainer_.steps() > 0) save();  // before the first step nothing is to be kept
    background_.wait();
    if (!best_weights_.empty()) copy_state(learned_state(*trainer_.trained()), best_weights_);
    if (logger_) logger_->last_step();
    if (tables_ && ending != StopReason::stopped) add_tables();
    const std::string words[] = {"complete", "the data ended", "stopped"};
    if (logger_)
      logger_->finish(join(words[static_cast<int>(ending)], " after step ", trainer_.steps()), options_.configuration,
                      options_.sources);
    if (ending == StopReason::stopped && first())
      out_ << "stopped at step " << trainer_.steps() << " of " << trainer_.options().schedule.total
           << (store_ ? "; the same command goes on from there" : "") << std::endl;
    return ending;
  }

  Trainer<Trained, Comm>& trainer_;
  RunOptions options_;
  std::ostream& out_;
  std::optional<CheckpointStore<System>> store_;
  std::optional<io::FolderLock> lock_;  ///< of the folder, on rank 0
  std::optional<data::LoaderState> loader_state_;
  std::int64_t resumed_at_ = 0, saved_ = -1, evaluate_every_ = 0, unwritten_ = 0;
  std::function<double()> metric_;
  std::function<std::vector<report::Table>()> tables_;
  std::optional<BestEvaluation> best_;
  StateDict best_weights_;  ///< with RunOptions::keep_best: deep copy
  std::optional<RunLogger> logger_;
  Background background_;  ///< last member: destroyed first
};

}  // namespace rc3::train
