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
  v("clip", o.clip, "largest norm of the gradient", config::above(0));
  v("rates", o.rates, "factors of learning_rate by name: PATTERN=FACTOR,...; the first match counts");
  v("layer_decay", o.layer_decay, "layer-wise decay of the learning rate: PATTERN=FACTOR,...");
}

template <class V>
void visit_fields(Schedule& o, V&& v) {
  v("warmup", o.warmup, "steps of linear warm-up", config::at_least(0));
  v("total", o.total, "steps of the run; 0: the stage is skipped", config::at_least(0));
  v("floor", o.floor, "final learning rate, as a share of the highest", config::within(0, 1));
  v("decay", o.decay, "decay of the learning rate after warm-up");
}

template <class V>
void visit_fields(Options& o, V&& v) {
  v("optimizer", o.optimizer, "AdamW");
  v("schedule", o.schedule, "learning rate over the run");
  v("precision", o.precision, "float32, bfloat16, or automatic: bfloat16 if it is measured to be faster");
  v("seed", o.seed, "seed of dropout; 0: none", config::at_least(0));
  v("accumulate", o.accumulate, "batches of a step (gradient accumulation)", config::above(0));
  v("ema", o.ema, "decay of the exponential moving average of weights; 0: none", config::from_to_below(0, 1));
  v("freeze", o.freeze, "names of frozen parameters; * stands for any characters");
  v("max_consecutive_skips", o.max_consecutive_skips,
    "consecutive steps without a finite gradient after which the run ends", config::above(0));
}

template <class V>
void visit_fields(CheckpointOptions& o, V&& v) {
  v("folder", o.folder, "folder of the run; empty: nothing is written");
  v("every", o.every, "steps between checkpoints", config::above(0));
  v("keep", o.keep, "newest checkpoints to keep, beside the best one", config::at_least(2));
  v("asynchronous", o.asynchronous, "whether a thread writes them while training continues");
  v("changes", o.changes, "a resume with other data, another seed or a changed option: refuse, or allow");
}

template <class V>
void visit_fields(LogOptions& o, V&& v) {
  v("every", o.every, "steps between lines of the log", config::above(0));
  v("tensorboard", o.tensorboard, "whether to write a TensorBoard event file");
  v("report", o.report, "whether to write report.html and report.json at the end");
}

}  // namespace rc3::train

namespace rc3::config {

template <>
struct Names<train::Precision> {
  static constexpr const char* all[] = {"automatic", "float32", "bfloat16", "int8"};
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
