#pragma once
/// Fine-tuning a task's head, with the checkpoint chosen on validation examples of the source language alone.

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "rc3/core/communicator.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/task/cached_examples.hpp"
#include "rc3/train/checkpoint.hpp"
#include "rc3/train/evaluation_mode.hpp"
#include "rc3/train/learned_state.hpp"
#include "rc3/train/run.hpp"
#include "rc3/train/trainer.hpp"

namespace rc3::experiment {

struct TuneOptions {
  train::Options train = {};   ///< schedule.total: optimizer steps
  std::int64_t batch = 64;     ///< examples a step
  std::int64_t every = 100;    ///< steps between two looks at the validation examples
  std::string label = "tune";  ///< of the progress line
};

/// What fine-tuning came to.
struct Tuned {
  double validation = 0;  ///< the best measure
  std::int64_t step = 0;  ///< after which it was reached; the head has its weights
};

using train::learned_state;
inline StateDict copied(const StateDict& state) { return train::copy_of(state); }

/// Tunes @p head, in eval mode at the end, with the weights that did best on validation; of equal ones the earlier.
/// @param validate  more is better; called with the head in eval mode, with Options::ema on the averaged weights
/// On several ranks every rank calls it, with its part of the batches (task::Ranks); all validate, and what rank 0
/// finds decides for all.
/// @tparam Head     a task::Classifier, task::Translator or rc3::Pretrainer
/// @throws rc3::Error when the measure is not a number
template <class Head, class Batches, Communicator Comm = Single>
Tuned tune(const std::shared_ptr<Head>& head, Batches batches, const std::function<double()>& validate,
           const TuneOptions& options, std::ostream& out, std::shared_ptr<Comm> comm = std::make_shared<Comm>()) {
  train::Trainer<Head, Comm> trainer(head, options.train, comm);
  train::Run<Head, Comm> run(trainer, {.label = options.label, .keep_best = true}, out);
  run.evaluate(options.every, validate);
  const auto reason = run.train(batches);
  require(reason != train::StopReason::stopped, options.label, ": stopped by a signal after step ", trainer.steps());
  head->eval();
  return {run.best()->metric, run.best()->step};
}

}  // namespace rc3::experiment
