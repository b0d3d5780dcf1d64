#pragma once
/// Errors in a data set: counted by kind, reported once with examples, and limited by a budget. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"

namespace rc3::data {

/// Number of data errors that a run tolerates.
struct ErrorBudget {
  double fraction = 0.01;     ///< of the samples read so far, in [0, 1]
  std::int64_t minimum = 10;  ///< tolerated in any case, >= 0
};

/// Error counts, thread-safe.
class DataErrors {
 public:
  /// Messages of one kind.
  struct Kind {
    std::int64_t count = 0;
    std::vector<std::string> examples;  ///< the first few messages, in order of arrival
  };

  static constexpr std::size_t max_examples = 3;  ///< messages that are kept of each kind

  /// @throws rc3::Error for a fraction outside [0, 1] or a negative minimum
  explicit DataErrors(ErrorBudget budget = {}) : budget_(budget) {
    require(budget.fraction >= 0 && budget.fraction <= 1, "data::ErrorBudget: fraction must be in [0, 1], is ",
            budget.fraction);
    require(budget.minimum >= 0, "data::ErrorBudget: minimum must be >= 0, is ", budget.minimum);
  }

  /// Counts @p n samples that were read, valid or not.
  void add_samples(std::int64_t n = 1) {
    const std::lock_guard lock(mutex_);
    samples_ += n;
  }

  /// Counts an error.
  /// @param kind     short, and equal for all of its kind: "duplicate id"
  /// @param message  names file, sample, field and reason
  /// @throws rc3::Error with the report if the count exceeds max(minimum, fraction * samples read)
  void add(const std::string& kind, std::string message) {
    const std::lock_guard lock(mutex_);
    Kind& k = kinds_[kind];
    ++k.count;
    ++count_;
    if (k.examples.size() < max_examples) k.examples.push_back(message);
    const auto allowed =
        std::max(budget_.minimum, static_cast<std::int64_t>(budget_.fraction * static_cast<double>(samples_)));
    require(count_ <= allowed, "too many errors: ", count_, " in ", samples_, " samples, the budget is ", allowed,
            " (data::ErrorBudget: fraction ", budget_.fraction, ", minimum ", budget_.minimum, "); the last: ", message,
            "\n", text());
  }

  /// Counts something that is passed over on purpose, such as a file of the operating system. No error.
  /// @param kind     short, and equal for all of its kind
  /// @param example  names file and member
  void pass_over(const std::string& kind, std::string example, std::int64_t count = 1) {
    const std::lock_guard lock(mutex_);
    Kind& k = passed_over_[kind];
    k.count += count;
    if (k.examples.empty()) k.examples.push_back(std::move(example));
  }
  /// What was passed over by kind, each with the first example.
  std::map<std::string, Kind> passed_over() const {
    const std::lock_guard lock(mutex_);
    return passed_over_;
  }

  /// One line per kind that was passed over, "left aside  3 .cls, first FILE: MEMBER"; empty if there was none.
  std::string left_aside() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, kind] : passed_over_)
      out += join("left aside  ", kind.count, ' ', name, ", first ", kind.examples.at(0), '\n');
    return out;
  }

  /// Number of errors of all kinds.
  std::int64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Number of errors of one kind; 0 for a kind that did not occur.
  std::int64_t count(const std::string& kind) const {
    const std::lock_guard lock(mutex_);
    const auto found = kinds_.find(kind);
    return found == kinds_.end() ? 0 : found->second.count;
  }
  /// Number of samples that add_samples() has counted.
  std::int64_t samples() const {
    const std::lock_guard lock(mutex_);
    return samples_;
  }
  /// Errors by kind, as of now.
  std::map<std::string, Kind> kinds() const {
    const std::lock_guard lock(mutex_);
    return kinds_;
  }

  /// One line per kind with its count, and one line per example; empty without errors.
  std::string report() const {
    const std::lock_guard lock(mutex_);
    return text();
  }

 private:
  std::string text() const {
    std::string out;
    for (const auto& [name, kind] : kinds_) {
      out += join(name, ": ", kind.count, "\n");
      for (const std::string& example : kind.examples) out += join("  ", example, "\n");
      const auto more = kind.count - static_cast<std::int64_t>(kind.examples.size());
      if (more > 0) out += join("  and ", more, " more\n");
    }
    return out;
  }

  mutable std::mutex mutex_;
  ErrorBudget budget_;
  std::map<std::string, Kind> kinds_, passed_over_;
  std::int64_t count_ = 0;
  std::int64_t samples_ = 0;
};

}  // namespace rc3::data
