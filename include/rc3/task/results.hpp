#pragma once
/// Table of results for all tasks and languages. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/metric/accuracy.hpp"
#include "rc3/report/text_table.hpp"

namespace rc3::task {

/// Score of a model on one task in one language.
struct Score {
  std::string task;        ///< "entailment"
  std::string metric;      ///< "accuracy", "recall@1", "BLEU"
  std::string ablation;    ///< visual input: "both", "regions", "patches"; "shuffled" and "blank" are controls
  std::string language;    ///< a tag
  double value = 0;        ///< percent; BLEU and chrF on their own scale of 0 to 100
  double error = 0;        ///< standard error of value, in the same unit; 0: unknown
  std::int64_t count = 0;  ///< examples
  double random = std::numeric_limits<double>::quiet_NaN();    ///< chance level, as value; NaN: unknown
  double majority = std::numeric_limits<double>::quiet_NaN();  ///< score of the most frequent answer; NaN: unknown

  /// Difference from the better baseline in standard errors; infinite if the error is unknown.
  double sigmas() const {
    const double baseline = std::fmax(random, majority);  // fmax ignores a NaN
    if (std::isnan(baseline)) return std::numeric_limits<double>::quiet_NaN();
    return (value - baseline) / error;
  }
};

/// Standard error of an accuracy, percent. @param percent  in [0, 100]  @param count  > 0
inline double binomial_error(double percent, std::int64_t count) {
  return 100 * metric::standard_error(percent / 100, count);
}

/// Scores by task, metric, ablation and language.
class Results {
 public:
  /// @param source  language of tuning: the mean over languages excludes it
  explicit Results(std::string source) : source_(std::move(source)) {}

  /// @throws rc3::Error if this task, metric, ablation and language already has a score
  void add(Score score) {
    require(find(score.task, score.metric, score.ablation, score.language) == nullptr, "task::Results: ", score.task,
            ' ', score.metric, ' ', score.ablation, ' ', score.language, " exists already");
    scores_.push_back(std::move(score));
  }

  const std::string& source() const { return source_; }
  /// In the order of add().
  const std::vector<Score>& scores() const { return scores_; }

  /// Null if there is none.
  const Score* find(std::string_view task, std::string_view metric, std::string_view ablation,
                    std::string_view language) const {
    for (const Score& f : scores_)
      if (f.task == task && f.metric == metric && f.ablation == ablation && f.language == language) return &f;
    return nullptr;
  }

  /// Mean over the languages other than the source; nullopt if there are none.
  std::optional<double> mean(std::string_view task, std::string_view metric, std::string_view ablation) const {
    double sum = 0;
    int count = 0;
    for (const Score& f : scores_)
      if (f.task == task && f.metric == metric && f.ablation == ablation && f.language != source_) {
        sum += f.value;
        ++count;
      }
    return count == 0 ? std::nullopt : std::optional(sum / count);
  }

  /// Languages in the order of their first score, the source first.
  std::vector<std::string> languages() const {
    std::vector<std::string> all;
    const auto add = [&](const std::string& l) {
      if (std::find(all.begin(), all.end(), l) == all.end()) all.push_back(l);
    };
    for (const Score& f : scores_)
      if (f.language == source_) add(f.language);
    for (const Score& f : scores_) add(f.language);
    return all;
  }

  /// A row of the table.
  struct Row {
    std::string task, metric, ablation;  ///< as in Score
    std::vector<double> cells;           ///< by languages(), then the mean over others, random, majority; NaN: empty
  };
  /// One row for each task, metric and ablation, in the order of their first score.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    const auto tags = languages();
    for (const Score& first : scores_) {
      const bool there = std::any_of(all.begin(), all.end(), [&](const Row& row) {
        return row.task == first.task && row.metric == first.metric && row.ablation == first.ablation;
      });
      if (there) continue;
      Row row{first.task, first.metric, first.ablation, {}};
      for (const auto& tag : tags) {
        const Score* f = find(row.task, row.metric, row.ablation, tag);
        row.cells.push_back(f == nullptr ? nothing : f->value);
      }
      row.cells.push_back(mean(row.task, row.metric, row.ablation).value_or(nothing));
      row.cells.push_back(first.random);
      row.cells.push_back(first.majority);
      all.push_back(std::move(row));
    }
    return all;
  }
  /// Headers of Row::cells: languages(), then "others", "random" and "majority".
  std::vector<std::string> columns() const {
    auto all = languages();
    for (const char* name : {"others", "random", "majority"}) all.emplace_back(name);
    return all;
  }

  /// Text for a terminal: one line per task and ablation.
  std::string text() const {
    auto header = columns();
    header.insert(header.begin(), "");
    report::TextTable table(std::move(header));
    for (const Row& row : rows()) {
      std::vector<std::string> cells{label(row)};
      for (const double x : row.cells) cells.push_back(std::isnan(x) ? "-" : number(x));
      table.row(std::move(cells));
    }
    return table.text();
  }

  /// {"source": "en", "figures": [{"task": ..., "value": ...}, ...]}
  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all{{"source", source_}, {"figures", nlohmann::ordered_json::array()}};
    const auto maybe = [](double x) { return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json(); };
    for (const Score& f : scores_)
      all["figures"].push_back({{"task", f.task},
                                {"metric", f.metric},
                                {"ablation", f.ablation},
                                {"language", f.language},
                                {"value", f.value},
                                {"standard_error", f.error},
                                {"examples", f.count},
                                {"random", maybe(f.random)},
                                {"majority", maybe(f.majority)}});
    return all;
  }

  /// A header, then one line per score; names contain neither commas nor quotes.
  std::string csv() const {
    std::string out = "task,metric,ablation,language,value,standard_error,examples,random,majority\n";
    const auto maybe = [](double x) { return std::isfinite(x) ? join(x) : std::string(); };
    for (const Score& f : scores_)
      out += join(f.task, ',', f.metric, ',', f.ablation, ',', f.language, ',', f.value, ',', f.error, ',', f.count,
                  ',', maybe(f.random), ',', maybe(f.majority), '\n');
    return out;
  }

  /// Mean over the results of several seeds. Its standard error is a root of a sum of two squares: the spread of the n
  /// seeds over sqrt(n), and the sampling error of the test set.
  /// @throws rc3::Error if one lacks a score of the first, or if there are none
  static Results mean_of(const std::vector<Results>& seeds) {
    require(!seeds.empty(), "task::Results: no seeds");
    Results out(seeds[0].source_);
    const auto n = static_cast<double>(seeds.size());
    for (Score f : seeds[0].scores_) {
      std::vector<double> values;
      double inside = 0;
      f.random = f.majority = 0;
      for (const Results& seed : seeds) {
        const Score* one = seed.find(f.task, f.metric, f.ablation, f.language);
        require(one != nullptr, "task::Results: a seed has no figure of ", f.task, ' ', f.metric, ' ', f.ablation, ' ',
                f.language);
        values.push_back(one->value);
        inside += one->error * one->error / n;
        f.random += one->random / n;
        f.majority += one->majority / n;
      }
      f.value = 0;
      for (const double v : values) f.value += v / n;
      double between = 0;
      for (const double v : values) between += (v - f.value) * (v - f.value);
      if (seeds.size() > 1) between /= n * (n - 1);
      f.error = std::sqrt(between + inside / n);
      out.scores_.push_back(std::move(f));
    }
    return out;
  }

 private:
  static std::string label(const Row& row) { return join(row.task, ' ', row.metric, ' ', row.ablation); }
  static std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", x);
    return text;
  }

  std::string source_;
  std::vector<Score> scores_;
};

}  // namespace rc3::task
