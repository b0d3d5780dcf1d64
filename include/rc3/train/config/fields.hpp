#pragma once
/// The single list of all options: their names in files and on command lines, bounds and descriptions.

#include <string>
#include <type_traits>
#include <utility>

#include "rc3/train/config/bounds.hpp"
#include "rc3/train/options.hpp"

namespace rc3::train {

template <class V>
void visit_fields(AdamWOptions& o, V&& v) {
  v("learning_rate", o.learning_rate, "base learning rate", above(0));
  v("beta1", o.beta1, "decay of the first moment", from_to_below(0, 1));
  v("beta2", o.beta2, "decay of the second moment", from_to_below(0, 1));
  v("epsilon", o.epsilon, "added to the root of the second moment", above(0));
  v("weight_decay", o.weight_decay, "decoupled; biases, norms and temperatures are not decayed", at_least(0));
  v("clip", o.clip, "largest norm of the whole gradient", above(0));
  v("rates", o.rates, "rates of parts, times learning_rate: part=rate,...; the first that fits counts");
  v("layer_decay", o.layer_decay, "rate of each layer of a stack, times that of the one above: part=rate,...");
}

template <class V>
void visit_fields(Schedule& o, V&& v) {
  v("warmup", o.warmup, "steps in which the rate rises from 0", at_least(0));
  v("total", o.total, "steps of the run; 0: a stage that is left out", at_least(0));
  v("floor", o.floor, "share of the rate that is left at the end", within(0, 1));
  v("decay", o.decay, "how the rate comes down");
}

template <class V>
void visit_fields(Options& o, V&& v) {
  v("optimizer", o.optimizer, "AdamW");
  v("schedule", o.schedule, "the learning rate over the run");
  v("precision", o.precision, "automatic: bfloat16 where it is measured to be faster");
  v("seed", o.seed, "of dropout; 0: no step is seeded", at_least(0));
  v("accumulate", o.accumulate, "batches a step", above(0));
  v("ema", o.ema, "decay of the average of the weights; 0: none", from_to_below(0, 1));
  v("freeze", o.freeze, "parameters that do not learn; * stands for any characters");
  v("max_consecutive_skips", o.max_consecutive_skips, "steps in a row without a finite gradient that end the run",
    above(0));
}

template <class V>
void visit_fields(CheckpointOptions& o, V&& v) {
  v("folder", o.folder, "of the run; empty: nothing is written");
  v("every", o.every, "steps between two checkpoints", above(0));
  v("keep", o.keep, "newest checkpoints that stay; the best one stays besides", at_least(2));
  v("asynchronous", o.asynchronous, "written by a thread while training goes on");
}

template <class V>
void visit_fields(LogOptions& o, V&& v) {
  v("every", o.every, "steps between two points of the log", above(0));
  v("tensorboard", o.tensorboard, "write an event file");
  v("report", o.report, "write report.html and report.json at the end");
}

/// Names of an enumeration's values, in order.
template <class E>
struct Names;
template <>
struct Names<Precision> {
  static constexpr const char* all[] = {"automatic", "float32", "bfloat16"};
};
template <>
struct Names<Decay> {
  static constexpr const char* all[] = {"cosine", "linear", "constant"};
};

namespace detail {
struct NoVisitor {
  template <class... A>
  void operator()(const A&...) {}
};
}  // namespace detail

/// A struct with a list of fields: a free function `visit_fields(T&, V&&)`, found by argument-dependent lookup.
template <class T>
concept Configuration = requires(T& t) {
  visit_fields(t, detail::NoVisitor{});
};

/// Calls `visit(path, value, doc, bounds)` for each option of @p c, including nested ones: "optimizer.learning_rate".
template <Configuration C, class Visit>
void for_each_field(C& c, Visit&& visit, const std::string& prefix = "") {
  visit_fields(c, [&]<class T>(const char* name, T& value, const char* doc, Bounds bounds = {}) {
    if constexpr (Configuration<T>)
      for_each_field(value, visit, prefix + name + '.');
    else
      visit(prefix + name, value, doc, bounds);
  });
}

}  // namespace rc3::train
