#pragma once
/// Progress display: a bar on a terminal, occasional lines in a file.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/error.hpp"

namespace rc3::train {

/// Whether standard output is a terminal with escape codes.
inline bool stdout_is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

/// Seconds from any fixed point, monotonic.
using Clock = std::function<double()>;

/// The machine's monotonic clock.
inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// "7s", "2m05s", "1h04m"; "?" for a value that is not finite or above ten thousand hours.
inline std::string format_seconds(double seconds) {
  if (!(seconds >= 0 && seconds < 3.6e7)) return "?";
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  char text[32];
  if (s < 60)
    std::snprintf(text, sizeof text, "%ds", static_cast<int>(s));
  else if (s < 3600)
    std::snprintf(text, sizeof text, "%dm%02ds", static_cast<int>(s / 60), static_cast<int>(s % 60));
  else
    std::snprintf(text, sizeof text, "%dh%02dm", static_cast<int>(s / 3600), static_cast<int>(s / 60 % 60));
  return text;
}

/// A bar of @p width columns, in eighths of a column. @param share  in [0, 1]
inline std::string format_bar(double share, int width) {
  static constexpr std::string_view parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * 8 * width);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  bar += parts[eighths % 8];
  bar.append(static_cast<std::size_t>(width - (eighths + 7) / 8), ' ');
  return bar;
}

/// One line, redrawn in place on a terminal; otherwise occasional plain lines.
class Progress {
 public:
  /// Names, and how often a line is written.
  struct Options {
    std::string label = "train";  ///< first word of the line
    std::string unit = "items";   ///< plural name of an item: "steps"
    double every_seconds = 15;    ///< not on a terminal: longest time between lines while there are updates, > 0
    double every_share = 0.1;     ///< not on a terminal: largest share of the total between lines, in (0, 1]
    double smoothing = 5;         ///< time constant of the averages of rate and loss in seconds, > 0
  };

  /// @param total     number of items, > 0
  /// @param out       must outlive this
  /// @param terminal  redraw one line (escape codes) or print plain lines
  /// @throws rc3::Error for a total or option that is not above 0
  Progress(std::int64_t total, std::ostream& out, bool terminal, Options options, Clock clock = steady_seconds)
      : total_(total), out_(out), terminal_(terminal), options_(std::move(options)), clock_(std::move(clock)) {
    require(total > 0, "Progress: total must be > 0, is ", total);
    require(options_.smoothing > 0 && options_.every_seconds > 0 && options_.every_share > 0,
            "Progress: smoothing, every_seconds and every_share must be > 0");
    start_ = last_ = printed_ = clock_();
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Ends the line, so that later output, such as an error message, starts on a new line.
  ~Progress() {
    if (terminal_ && drawn_ && !finished_) out_ << '\n' << std::flush;
  }

  /// @param done  completed items, 0 .. total, never decreasing
  /// @param loss  of the last step; if not finite, shown but excluded from the average
  /// @param more  printed after the loss
  void update(std::int64_t done, double loss, std::string more = {}) {
    has_loss_ = true;
    more_ = std::move(more);
    advance(done, loss);
  }

  /// Update for work without a loss.
  void update(std::int64_t done) { advance(done, NAN); }

  /// Prints the last line, with the total time and the mean rate. Further calls have no effect.
  void finish() {
    if (std::exchange(finished_, true)) return;
    const double seconds = clock_() - start_;
    out_ << (terminal_ ? "\r" : "") << options_.label << "  " << done_ << ' ' << options_.unit << " in "
         << format_seconds(seconds) << loss_text() << "  "
         << rate_text(seconds > 0 ? static_cast<double>(done_) / seconds : 0) << (terminal_ ? "\x1b[K\n" : "\n")
         << std::flush;
  }

  /// Smoothed items per second; 0 before the first step.
  double rate() const { return rate_; }
  /// Remaining seconds at that rate; infinite before the first step.
  double seconds_left() const { return static_cast<double>(total_ - done_) / rate_; }

 private:
  static constexpr int bar = 24;         ///< columns
  static constexpr double redraw = 0.1;  ///< minimum seconds between two redraws on a terminal

  void advance(std::int64_t done, double loss) {
    const double now = clock_();
    observe(std::min(done, total_), loss, now);
    if (terminal_) {
      if (drawn_ && now - printed_ < redraw) return;
    } else if (now - printed_ < options_.every_seconds && share() - printed_share_ < options_.every_share - 1e-9) {
      return;
    }
    print(now);
  }

  double share() const { return static_cast<double>(done_) / static_cast<double>(total_); }

  void observe(std::int64_t done, double loss, double now) {
    // Averages over time, not over calls: neither batch size nor speed changes the smoothness. Early weights are
    // divided by their sum, which removes the start-up bias.
    const double passed = std::max(now - last_, 1e-9);
    const double keep = std::exp(-passed / options_.smoothing);
    if (done > done_) {
      items_ = keep * items_ + (1 - keep) * (static_cast<double>(done - done_) / passed);
      items_weight_ = keep * items_weight_ + (1 - keep);
      rate_ = items_ / items_weight_;
      last_ = now;
    } else if (done_ == 0) {
      last_ = now;  // the time before the first item is set-up, excluded from the rate
    }
    done_ = std::max(done, done_);
    last_loss_ = loss;
    if (!std::isfinite(loss)) return;
    losses_ = keep * losses_ + (1 - keep) * loss;
    losses_weight_ = keep * losses_weight_ + (1 - keep);
  }

  std::string loss_text() const {
    if (!has_loss_ || (done_ == 0 && losses_weight_ == 0)) return "";
    char text[48];
    std::snprintf(text, sizeof text, "  loss %.4g", std::isfinite(last_loss_) ? losses_ / losses_weight_ : last_loss_);
    return text;
  }
  std::string rate_text(double rate) const {
    char text[48];
    std::snprintf(text, sizeof text, rate < 10 ? "%.2f " : "%.0f ", rate);
    return text + options_.unit + "/s";
  }

  void print(double now) {
    char percent[16];
    std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(share() * 100));
    std::string line = options_.label + " ";
    if (terminal_) line = "\r" + line + "▕" + format_bar(share(), bar) + "▏";
    line += percent + loss_text() + (more_.empty() ? "" : "  " + more_) + "  " + rate_text(rate_) + "  ";
    line += done_ == total_ ? format_seconds(now - start_) + " in all" : format_seconds(seconds_left()) + " left";
    // One write per redraw, and the rest of the old line is erased after the new text: no flicker.
    line += terminal_ ? "\x1b[K" : "\n";
    out_ << line << std::flush;
    printed_ = now;
    printed_share_ = share();
    drawn_ = true;
  }

  std::int64_t total_;
  std::ostream& out_;
  bool terminal_;
  Options options_;
  Clock clock_;
  std::int64_t done_ = 0;
  double start_ = 0, last_ = 0, printed_ = 0, printed_share_ = 0;
  double items_ = 0, items_weight_ = 0, rate_ = 0;
  double losses_ = 0, losses_weight_ = 0, last_loss_ = 0;
  std::string more_;
  bool drawn_ = false, finished_ = false, has_loss_ = false;
};

}  // namespace rc3::train
