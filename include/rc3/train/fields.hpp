#pragma once
/// Lists of the options of training, for rc3/config. LibTorch-free.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/bounds.hpp"
#include "rc3/config/fields.hpp"
#include "rc3/config/value.hpp"
#include "rc3/train/options.hpp"

namespace rc3::train {

template <class V>
void visit_fields(AdamWOptions& o, V&& v) {
  v("learning_rate", o.learning_rate, "base learning rate", config::above(0));
  v("beta1", o.beta1, "decay of the first moment", config::from_to_below(0, 1));
  v("beta2", o.beta2, "decay of the second moment", config::from_to_below(0, 1));
  v("epsilon", o.epsilon, "added to the root of the second moment", config::above(0));
  v("weight_decay", o.weight_decay, "decoupled; biases, norms and temperatures are not decayed", config::at_least(0));
  v("clip", o.clip, "largest norm of the whole gradient", config::above(0));
  v("rates", o.rates, "rates of parts, times learning_rate: part=rate,...; the first that fits counts");
  v("layer_decay", o.layer_decay, "rate of each layer of a stack, times that of the one above: part=rate,...");
}

template <class V>
void visit_fields(Schedule& o, V&& v) {
  v("warmup", o.warmup, "steps in which the rate rises from 0", config::at_least(0));
  v("total", o.total, "steps of the run; 0: a stage that is left out", config::at_least(0));
  v("floor", o.floor, "share of the rate that is left at the end", config::within(0, 1));
  v("decay", o.decay, "how the rate comes down");
}

template <class V>
void visit_fields(Options& o, V&& v) {
  v("optimizer", o.optimizer, "AdamW");
  v("schedule", o.schedule, "the learning rate over the run");
  v("precision", o.precision, "automatic: bfloat16 where it is measured to be faster");
  v("seed", o.seed, "of dropout; 0: no step is seeded", config::at_least(0));
  v("accumulate", o.accumulate, "batches a step", config::above(0));
  v("ema", o.ema, "decay of the average of the weights; 0: none", config::from_to_below(0, 1));
  v("freeze", o.freeze, "parameters that do not learn; * stands for any characters");
  v("max_consecutive_skips", o.max_consecutive_skips, "steps in a row without a finite gradient that end the run",
    config::above(0));
}

template <class V>
void visit_fields(CheckpointOptions& o, V&& v) {
  v("folder", o.folder, "of the run; empty: nothing is written");
  v("every", o.every, "steps between two checkpoints", config::above(0));
  v("keep", o.keep, "newest checkpoints that stay; the best one stays besides", config::at_least(2));
  v("asynchronous", o.asynchronous, "written by a thread while training goes on");
  v("changes", o.changes,
    "where a resume meets other data, another seed or an option that it cannot take: refuse, or allow and go on");
}

template <class V>
void visit_fields(LogOptions& o, V&& v) {
  v("every", o.every, "steps between two points of the log", config::above(0));
  v("tensorboard", o.tensorboard, "write an event file");
  v("report", o.report, "write report.html and report.json at the end");
}

}  // namespace rc3::train

namespace rc3::config {

template <>
struct Names<train::Precision> {
  static constexpr const char* all[] = {"automatic", "float32", "bfloat16"};
};
template <>
struct Names<data::Changes> {
  static constexpr const char* all[] = {"refuse", "allow"};
};
template <>
struct Names<train::Decay> {
  static constexpr const char* all[] = {"cosine", "linear", "constant"};
};

/// Rules as an object of rates, {"text.": 0.1}; on the command line part=rate,...
template <>
struct Form<std::vector<train::RateRule>> {
  static nlohmann::ordered_json to_json(const std::vector<train::RateRule>& rules) {
    auto all = nlohmann::ordered_json::object();
    for (const train::RateRule& rule : rules) all[rule.part] = rule.rate;
    return all;
  }

  template <class Wrong>
  static std::vector<train::RateRule> from_json(const nlohmann::ordered_json& json, const Wrong& wrong) {
    if (!json.is_object()) wrong("an object of rates, {\"text.\": 0.1}");
    std::vector<train::RateRule> rules;
    for (const auto& [part, rate] : json.items()) {
      if (!rate.is_number() || rate.template get<double>() < 0) wrong("an object of rates, each at least 0");
      rules.push_back({part, rate.template get<double>()});
    }
    return rules;
  }

  static nlohmann::ordered_json from_text(std::string_view text) {
    auto rules = nlohmann::ordered_json::object();
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      const auto rule = text.substr(at, end - at);
      const auto equals = rule.rfind('=');
      if (equals == std::string_view::npos) return std::string(text);  // refused later for its type
      rules[std::string(rule.substr(0, equals))] = json_from_text<double>(rule.substr(equals + 1));
      at = end + 1;
    }
    return rules;
  }
};

}  // namespace rc3::config
