#pragma once
/// One optimizer step after another.

#include <cmath>
#include <memory>

#include "rc3/model/pretrainer.hpp"
#include "rc3/train/adamw.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/precision.hpp"

namespace rc3::train {

/// What one step did.
struct StepReport {
  double loss = 0;            ///< weighted sum
  std::vector<double> parts;  ///< each objective's loss, unweighted
  double gradient_norm = 0;   ///< before clipping
  bool skipped = false;       ///< true if a gradient was not finite; the weights are then unchanged
};

/// @tparam Trained  an rc3::Pretrainer: a module with `losses(const Batch&)`
template <class Trained>
class Trainer {
 public:
  Trainer(std::shared_ptr<Trained> trained, Options options)
      : trained_(std::move(trained)), options_(std::move(options)), optimizer_(*trained_, options_.optimizer) {
    trained_->train();
  }

  /// Forward, backward, update. @throws rc3::Error as the objectives do
  StepReport step(const Batch& batch) {
    if constexpr (requires { trained_->at_step(steps_); }) trained_->at_step(steps_);
    auto losses = [&] {
      const Autocast autocast(options_.precision);
      return trained_->losses(batch);
    }();
    StepReport report{losses.total.template item<double>(), std::move(losses.parts), 0, false};
    losses.total.backward();
    report.gradient_norm = optimizer_.step(options_.schedule.factor(steps_));
    report.skipped = !std::isfinite(report.gradient_norm);
    ++steps_;
    return report;
  }

  std::int64_t steps() const { return steps_; }
  const Options& options() const { return options_; }

 private:
  std::shared_ptr<Trained> trained_;
  Options options_;
  AdamW optimizer_;
  std::int64_t steps_ = 0;
};

}  // namespace rc3::train
