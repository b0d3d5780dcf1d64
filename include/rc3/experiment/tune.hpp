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
#include "rc3/train/progress.hpp"
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

/// The tensors that tuning may change: parameters that learn, and buffers. What is frozen, mostly most of it, is not
/// worth a copy.
inline StateDict learned_state(const torch::nn::Module& module) {
  StateDict state = nn::named_state(module);
  for (const auto& parameter : module.named_parameters())
    if (!parameter.value().requires_grad()) state.erase(parameter.key());
  return state;
}

/// The same with memory of their own.
inline StateDict copied(const StateDict& state) {
  c10::NoGradGuard no_grad;
  StateDict copy;
  for (const auto& [name, tensor] : state) copy.emplace(name, tensor.detach().clone());
  return copy;
}

/// Tunes @p head, in eval mode at the end, with the weights that did best on validation; of equal ones the earlier.
/// @param validate  more is better; called with the head in eval mode, with Options::ema on the averaged weights
/// On several ranks every rank calls it, with its part of the batches (task::Ranks); all validate, and what rank 0
/// finds decides for all.
/// @tparam Head     a task::Classifier, task::Translator or rc3::Pretrainer
/// @throws rc3::Error when the measure is not a number
template <class Head, class Batches, Communicator Comm = Single>
Tuned tune(const std::shared_ptr<Head>& head, Batches batches, const std::function<double()>& validate,
           const TuneOptions& options, std::ostream& out, std::shared_ptr<Comm> comm = std::make_shared<Comm>()) {
  require(options.every > 0, "experiment::tune: every must be above 0, is ", options.every);
  train::Trainer<Head, Comm> trainer(head, options.train, comm);
  const auto total = options.train.schedule.total;
  train::Progress::Options look;
  look.label = options.label;
  look.unit = "examples";
  train::Progress progress(total * options.batch, out, train::stdout_is_terminal(), look);
  Tuned best;
  StateDict weights;
  const auto state = learned_state(*head);
  for (std::int64_t step = 1; step <= total; ++step) {
    const auto report = trainer.step(batches.next()->batch);
    progress.update(step * options.batch, report.loss);
    if (step % options.every != 0 && step != total) continue;
    const train::EvaluationMode evaluating(*head, trainer.ema());
    const double own = validate();
    auto measured = at::full({}, comm->rank() == 0 ? own : 0.0, at::kDouble);
    comm->all_reduce(measured);
    const double value = measured.template item<double>();
    require(!std::isnan(value), "experiment::tune: the measure of validation after step ", step, " is not a number");
    if (!weights.empty() && value <= best.validation) continue;
    best = {value, step};
    weights = copied(state);
  }
  progress.finish();
  train::copy_state(state, weights);
  head->eval();
  return best;
}

}  // namespace rc3::experiment
