#pragma once
/// Fine-tuning of a head, with the weights of the best validation.

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "rc3/core/communicator.hpp"
#include "rc3/core/error.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/run.hpp"
#include "rc3/train/trainer.hpp"

namespace rc3::train {

/// Steps and validation of fine_tune().
struct FineTuneOptions {
  Options train = {};               ///< schedule.total: optimizer steps
  std::int64_t every = 100;         ///< steps between two validations, > 0
  std::string label = "fine-tune";  ///< of the progress line
};

/// Tunes @p head by a Run without a folder. At the end the head is in eval mode with the weights of the best
/// validation; among equal ones the earliest.
/// @param batches   a source for Run: its part of the batches on each rank
/// @param validate  higher is better; called on every rank with the head in eval mode, and with the averaged weights if
///                  Options::ema is set. Rank 0's value counts
/// @tparam Head     a task::Classifier, task::Translator, task::Matcher or rc3::Pretrainer
/// @return the best validation and its step
/// @throws rc3::Error if a validation is not a number, and if a signal stops the run
template <class Head, class Batches, Communicator Comm = Single>
BestEvaluation fine_tune(const std::shared_ptr<Head>& head, Batches batches, const std::function<double()>& validate,
                         const FineTuneOptions& options, std::ostream& out,
                         std::shared_ptr<Comm> comm = std::make_shared<Comm>()) {
  Trainer<Head, Comm> trainer(head, options.train, std::move(comm));
  Run<Head, Comm> run(trainer, {.label = options.label, .keep_best = true}, out);
  run.evaluate(options.every, validate);
  const auto reason = run.train(batches);
  require(reason != StopReason::stopped, options.label, ": stopped by a signal after step ", trainer.steps());
  head->eval();
  return *run.best();
}

}  // namespace rc3::train
