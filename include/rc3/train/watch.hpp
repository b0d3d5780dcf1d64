#pragma once
/// What is seen of a run while it goes on: a progress line, TensorBoard's events. LibTorch-free.

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

#include "rc3/train/events.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/progress.hpp"

namespace rc3::train {

/// One step, as it is watched.
struct StepPoint {
  std::int64_t step = 0, epoch = 0;
  double loss = 0;
  std::vector<double> parts = {};  ///< in the order of Watch::Facts::parts
  double learning_rate = 0, gradient_norm = 0;
  bool skipped = false;
  std::int64_t samples = 0, tokens = 0;  ///< of the step; tokens of this rank's texts
  double waited = 0;                     ///< seconds in which the trainer waited for data
  double took = 0;                       ///< seconds in all
};

/// Bytes of memory that this process holds now.
inline std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

class Watch {
 public:
  struct Facts {
    std::string variant;
    std::vector<std::string> parts;  ///< names of the objectives
    std::int64_t total = 1;          ///< steps in all
    std::int64_t done = 0;           ///< of them before this process
  };

  /// @param folder  of the run; empty: nothing but the progress line
  /// @param out     outlives this
  Watch(const LogOptions& options, const std::filesystem::path& folder, Facts facts, std::ostream& out)
      : options_(options),
        facts_(std::move(facts)),
        out_(out),
        progress_(facts_.total - facts_.done > 0 ? facts_.total - facts_.done : 1, out, stdout_is_terminal(),
                  {.label = "train", .unit = "steps"}) {
    if (!folder.empty() && options.tensorboard) events_.emplace(folder, facts_.done);
  }

  void step(const StepPoint& point) {
    all_.samples += point.samples;
    all_.waited += point.waited;
    all_.took += point.took;
    part_.samples += point.samples;
    part_.tokens += point.tokens;
    part_.waited += point.waited;
    part_.took += point.took;
    skipped_ += point.skipped;
    progress_.update(point.step - facts_.done, point.loss, line(point));
    if (point.step % options_.every != 0 && point.step != facts_.total) return;
    if (events_) {
      events_->scalar("loss", point.step, point.loss);
      for (std::size_t i = 0; i < point.parts.size() && i < facts_.parts.size(); ++i)
        events_->scalar("loss/" + facts_.parts[i], point.step, point.parts[i]);
      events_->scalar("learning_rate", point.step, point.learning_rate);
      events_->scalar("gradient_norm", point.step, point.gradient_norm);
      events_->scalar("samples_per_second", point.step, rate(part_.samples));
      events_->scalar("waiting", point.step, part_.waited / part_.took);
    }
    part_ = {};
  }

  /// The result of an evaluation after @p step steps.
  void metric(std::int64_t step, double value) {
    if (events_) events_->scalar("metric", step, value);
  }

  /// The last lines: time and rate, and how much of it went into waiting for data.
  void finish() {
    progress_.finish();
    char text[96];
    std::snprintf(text, sizeof text, "train  %.1f samples/s, %.2f %% of the time spent waiting for data",
                  all_.took > 0 ? static_cast<double>(all_.samples) / all_.took : 0, 100 * waiting());
    out_ << text;
    if (skipped_ > 0) out_ << ", " << skipped_ << " steps skipped";
    out_ << std::endl;
  }

  /// Share of the time so far in which the trainer waited for data, in [0, 1].
  double waiting() const { return all_.took > 0 ? all_.waited / all_.took : 0; }
  std::int64_t samples() const { return all_.samples; }
  std::int64_t skipped() const { return skipped_; }

 private:
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
  Sums all_, part_;
  std::int64_t skipped_ = 0;
};

}  // namespace rc3::train
