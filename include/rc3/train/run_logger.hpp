#pragma once
/// Logger of a run: progress line, TensorBoard events, a log and a final report. LibTorch-free.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "rc3/config/provenance.hpp"
#include "rc3/train/events.hpp"
#include "rc3/train/log.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/progress.hpp"
#include "rc3/train/report.hpp"

namespace rc3::train {

/// Record of one step.
struct StepPoint {
  std::int64_t step = 0, epoch = 0;             ///< completed steps with this one; epoch from 0
  double loss = 0;                              ///< weighted sum over the objectives
  std::vector<double> parts = {};               ///< in the order of RunLogger::Facts::parts
  double learning_rate = 0, gradient_norm = 0;  ///< base rate of the step; norm before clipping
  bool skipped = false;                         ///< true: a gradient was not finite, no update
  std::int64_t samples = 0, tokens = 0;         ///< of the step; tokens of this rank's texts
  double waited = 0;                            ///< seconds of waiting for data
  double took = 0;                              ///< total seconds
};

/// Resident memory of this process in bytes.
inline std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Writes the numbers of a run: progress, log.jsonl and TensorBoard events.
class RunLogger {
 public:
  /// What is known of a run before its first step.
  struct Facts {
    std::string variant;             ///< type of the trained module; title of the report
    std::vector<std::string> parts;  ///< names of the objectives
    std::int64_t total = 1;          ///< total steps
    std::int64_t done = 0;           ///< steps before this process
    std::string label = "train";     ///< of the progress line
  };

  /// @param folder  of the run; empty: only the progress line
  /// @param out     outlives this
  /// @throws rc3::Error if log or event file cannot be written, or log.jsonl is no log
  RunLogger(const LogOptions& options, const std::filesystem::path& folder, Facts facts, std::ostream& out)
      : options_(options),
        facts_(std::move(facts)),
        out_(out),
        progress_(facts_.total - facts_.done > 0 ? facts_.total - facts_.done : 1, out, stdout_is_terminal(),
                  {.label = facts_.label, .unit = "steps"}) {
    if (folder.empty()) return;
    log_.emplace(folder / "log.jsonl", facts_.done);
    if (options.tensorboard) events_.emplace(folder, facts_.done);
  }

  /// Updates the progress line; every LogOptions::every steps and after the last, also log and events.
  void step(const StepPoint& point) {
    all_.samples += point.samples;
    all_.waited += point.waited;
    all_.took += point.took;
    part_.samples += point.samples;
    part_.tokens += point.tokens;
    part_.waited += point.waited;
    part_.took += point.took;
    skipped_ += point.skipped;
    ++steps_;
    progress_.update(point.step - facts_.done, point.loss, line(point));
    if (point.step % options_.every != 0 && point.step != facts_.total) return;
    LogPoint line{point.step, {{"loss", point.loss}}};
    if (point.parts.size() > 1)
      for (std::size_t i = 0; i < point.parts.size() && i < facts_.parts.size(); ++i)
        line.values.emplace_back("loss/" + facts_.parts[i], point.parts[i]);
    line.values.insert(line.values.end(), {{"learning_rate", point.learning_rate},
                                           {"gradient_norm", point.gradient_norm},
                                           {"samples_per_second", rate(part_.samples)},
                                           {"waiting", part_.took > 0 ? part_.waited / part_.took : 0},
                                           {"epoch", static_cast<double>(point.epoch)},
                                           {"skipped", static_cast<double>(skipped_)}});
    say(line);
    part_ = {};
  }

  /// Logs the result of an evaluation after @p step steps.
  void metric(std::int64_t step, double value) { say({step, {{"metric", value}}}); }

  /// Appends a table to the report.
  void table(report::Table table) { tables_.push_back(std::move(table)); }

  /// Ends the progress line after the last step, so that later output starts on a new line.
  void last_step() { progress_.finish(); }

  /// Prints the last lines: time, rate and the share of waiting for data. Then writes the report.
  /// @param ending   "complete", "stopped at step 7"
  /// @param sources  origin of the values of @p configuration; empty: unknown
  void finish(const std::string& ending, const nlohmann::ordered_json& configuration,
              const config::Provenance& sources = {}) {
    progress_.finish();
    char text[96];
    std::snprintf(text, sizeof text, "  %.1f samples/s, %.2f %% of the time spent waiting for data",
                  all_.took > 0 ? static_cast<double>(all_.samples) / all_.took : 0, 100 * waiting());
    out_ << facts_.label << text;
    if (skipped_ > 0) out_ << ", " << skipped_ << " steps skipped";
    out_ << std::endl;
    if (log_ && options_.report) write_report(ending, configuration, sources);
  }

  /// Share of the time so far spent waiting for data, in [0, 1].
  double waiting() const { return all_.took > 0 ? all_.waited / all_.took : 0; }
  /// Samples of this process, without those before a resume.
  std::int64_t samples() const { return all_.samples; }
  /// Steps of this process without an update.
  std::int64_t skipped() const { return skipped_; }

 private:
  void say(const LogPoint& line) {
    if (log_) log_->add(line);
    if (events_)
      for (const auto& [name, value] : line.values) events_->scalar(name, line.step, value);
  }

  void write_report(const std::string& ending, const nlohmann::ordered_json& configuration,
                    const config::Provenance& sources) const {
    report::Report page;
    page.title = facts_.variant;
    page.subtitle = ending;
    const auto points = read_log(log_->path());
    char waited[32];
    std::snprintf(waited, sizeof waited, "%.1f %%", 100 * waiting());
    page.summary = {{"steps in all", std::to_string(facts_.total)},
                    {"steps of this process", std::to_string(steps_)},
                    {"samples of this process", report::short_number(static_cast<double>(all_.samples))},
                    {"time of this process", format_seconds(all_.took)},
                    {"waiting for data", waited},
                    {"steps skipped", std::to_string(skipped_)}};
    page.tables = tables_;
    page.charts = report::charts_of(points);
    page.configuration = configuration;
    page.sources = sources;
    page.environment = report::environment();
    report::write_report(log_->path().parent_path() / "report.html", page);
    report::write_report_json(log_->path().parent_path() / "report.json", page);
  }

  struct Sums {
    std::int64_t samples = 0, tokens = 0;
    double waited = 0, took = 0;
  };

  double rate(std::int64_t items) const { return part_.took > 0 ? static_cast<double>(items) / part_.took : 0; }

  /// Loss parts, rates and memory: "Itc 1.24 RXvtcl 3.1  512 samples/s  9.1k tokens/s  1.3 GB".
  std::string line(const StepPoint& point) const {
    std::string text;
    char number[48];
    if (point.parts.size() > 1)
      for (std::size_t i = 0; i < point.parts.size() && i < facts_.parts.size(); ++i) {
        std::snprintf(number, sizeof number, " %.3g", point.parts[i]);
        text += (i == 0 ? "" : " ") + facts_.parts[i] + number;
      }
    const auto rates = [&](std::int64_t items, const char* unit) {
      const double r = rate(items);
      std::snprintf(number, sizeof number, r < 1e4 ? "  %.0f %s/s" : "  %.0fk %s/s", r < 1e4 ? r : r / 1000, unit);
      text += number;
    };
    rates(part_.samples, "samples");
    rates(part_.tokens, "tokens");
    std::snprintf(number, sizeof number, "  %.1f GB", static_cast<double>(resident_bytes()) / 1e9);
    text += number;
    if (skipped_ > 0) text += "  " + std::to_string(skipped_) + " skipped";
    return text;
  }

  LogOptions options_;
  Facts facts_;
  std::ostream& out_;
  Progress progress_;
  std::optional<EventFile> events_;
  std::optional<JsonlLog> log_;
  std::vector<report::Table> tables_;
  Sums all_, part_;
  std::int64_t steps_ = 0, skipped_ = 0;
};

}  // namespace rc3::train
