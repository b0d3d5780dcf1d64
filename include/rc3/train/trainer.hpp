#pragma once
/// Trainer: optimizer steps on one rank or many.

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/config/json.hpp"
#include "rc3/core/communicator.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/random.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/train/adamw.hpp"
#include "rc3/train/checkpoint.hpp"
#include "rc3/train/ema.hpp"
#include "rc3/train/fields.hpp"
#include "rc3/train/freeze.hpp"
#include "rc3/train/gradient_sum.hpp"
#include "rc3/train/options.hpp"
#include "rc3/train/precision.hpp"

namespace rc3::train {

/// Result of one step, over all ranks.
struct StepReport {
  double loss = 0;            ///< weighted sum
  std::vector<double> parts;  ///< each objective's loss, unweighted
  double gradient_norm = 0;   ///< before clipping
  bool skipped = false;       ///< true if a gradient was not finite; the weights are then unchanged
  std::int64_t samples = 0;   ///< used by the step
};

namespace detail {
template <class Trained>
struct BatchOf {
  using type = rc3::Batch;
};
template <class Trained>
requires requires { typename Trained::Batch; }
struct BatchOf<Trained> {
  using type = typename Trained::Batch;
};
}  // namespace detail

/// Batch type of Trained: its member type Batch, if it has one, else rc3::Batch.
template <class Trained>
using BatchOf = typename detail::BatchOf<Trained>::type;

/// Trains on the module's device: move it there first, `trained->to(train::use_device("cuda"))`. Batches may be on any
/// device.
/// @tparam Trained  an rc3::Pretrainer or a head of rc3/task: a module with `losses(const BatchOf<Trained>&)` that
///                  returns Losses, and for several ranks `losses(const BatchOf<Trained>&, Comm&)`. Its batches have
///                  size(), tokens() and select(index), and to(device), for a module elsewhere than on the CPU
/// @tparam Comm     a Communicator
template <class Trained, Communicator Comm = Single>
class Trainer {
 public:
  using Batch = BatchOf<Trained>;

  /// Freezes the parameters of the options, and copies the weights of rank 0 to every rank.
  /// @throws rc3::Error naming the invalid option
  Trainer(std::shared_ptr<Trained> trained, Options options, std::shared_ptr<Comm> comm = std::make_shared<Comm>())
      : trained_(frozen(std::move(trained), options)),
        device_(nn::device_of(*trained_)),
        options_(std::move(options)),
        comm_(std::move(comm)),
        optimizer_(*trained_, options_.optimizer) {
    config::check(options_, "train::Trainer: options");
    require(options_.precision != Precision::int8,
            "train::Trainer: options.precision is int8, which is for inference; give float32, bfloat16 or automatic");
    agree_on_precision(resolve(options_.precision, device_));
    share_weights();
    if (comm_->size() > 1) sum_.emplace(*comm_, learning());
    if (options_.ema > 0) ema_.emplace(*trained_, options_.ema);
    trained_->train();
  }

  /// Forward, backward, update.
  /// @throws rc3::Error as the objectives, and after Options::max_consecutive_skips steps in a row without a finite
  ///         gradient
  StepReport step(const Batch& batch) { return step(std::span(&batch, 1)); }

  /// Step with the mean gradient of Options::accumulate batches. Every rank passes the same number. If sizes differ
  /// between ranks (a damaged sample was dropped), each batch is cut to the smallest.
  /// @throws rc3::Error for another number of batches, or as step(batch)
  StepReport step(std::span<const Batch> batches) {
    require(static_cast<std::int64_t>(batches.size()) == options_.accumulate, "train::Trainer: a step takes ",
            options_.accumulate, " batches (Options::accumulate), got ", batches.size());
    if constexpr (requires { trained_->at_step(steps_); }) trained_->at_step(steps_);
    StepReport report;
    for (std::size_t k = 0; k < batches.size(); ++k) {
      seed_dropout(static_cast<std::int64_t>(k));
      if (sum_ && k + 1 == batches.size()) sum_->begin();
      add(report, here(batches[k]));
    }
    if (sum_) sum_->finish();
    over_ranks(report);
    report.gradient_norm = optimizer_.step(options_.schedule.factor(steps_));
    report.skipped = !std::isfinite(report.gradient_norm);
    ++steps_;
    count(report.skipped);
    if (ema_ && !report.skipped) ema_->update(steps_ - 1);
    return report;
  }

  std::int64_t steps() const { return steps_; }      ///< completed, including skipped ones
  std::int64_t skipped() const { return skipped_; }  ///< steps without an update
  double learning_rate() const {                     ///< of the next step
    return options_.optimizer.learning_rate * options_.schedule.factor(steps_);
  }
  const Options& options() const { return options_; }
  const at::Device& device() const { return device_; }  ///< the module's device at construction
  /// Precision of forward passes, from the options; `automatic` is bfloat16 if it is fast on every rank. A resume keeps
  /// it, since the measurement may differ on another machine.
  Precision precision() const { return precision_; }
  const std::shared_ptr<Trained>& trained() const { return trained_; }
  Comm& comm() const { return *comm_; }
  Ema* ema() { return ema_ ? &*ema_ : nullptr; }  ///< null without Options::ema

  /// Full state of the trainer. The next step changes these tensors: see Snapshot::copied(). A collective call: each
  /// rank's objectives have separate state ("memory-RANK"), all else is equal on all.
  Snapshot snapshot() const {
    Snapshot all{variant(), {}, {}, {}};
    all.files["model"] = nn::named_state(*trained_);
    all.files["optimizer"] = optimizer_.state();
    if (ema_) all.files["ema"] = ema_->state();
    if constexpr (Stateful<Trained>)
      for (const auto& [name, tensor] : trained_->state_dict()) {
        std::int64_t rank = 0;
        for (auto& t : comm_->all_gather(tensor)) all.files[join("memory-", rank++)].emplace(name, std::move(t));
      }
    const auto memories = static_cast<std::int64_t>(all.files.size()) - (ema_ ? 3 : 2);
    all.state = {steps_, skipped_, in_a_row_, memories, precision_ == Precision::bfloat16, std::nullopt};
    return all;
  }

  /// Restores a snapshot. @param folder  of the checkpoint
  /// @return the counters of the run
  /// @throws rc3::Error for a damaged file, or one that does not fit this program; all files are read first, so that
  ///         nothing is then changed
  RunState restore(const std::filesystem::path& folder) {
    const auto state = RunState::read(folder);
    std::vector<std::pair<StateDict, StateDict>> all;
    const auto read = [&](const char* name, const StateDict& into) {
      all.emplace_back(into, read_state(folder / join(name, ".safetensors"), into, variant()));
    };
    read("model", nn::named_state(*trained_));
    read("optimizer", optimizer_.state());
    if (ema_) read("ema", ema_->state());
    if constexpr (Stateful<Trained>) {
      for (std::int64_t k = 0; k <= state.memory_files; ++k) {
        const auto file = folder / join("memory-", k, ".safetensors");
        require(std::filesystem::exists(file) == (k < state.memory_files), file.string(), ": \"memory_files\" of ",
                RunState::name, " says that there are ", state.memory_files);
      }
      // This rank's memory file; with more ranks than files, that of another rank.
      const auto path =
          folder / join("memory-", comm_->rank() % std::max<std::int64_t>(state.memory_files, 1), ".safetensors");
      const auto memory = state.memory_files > 0 ? here(read_state(path, variant())) : StateDict{};
      try {
        trained_->load_state_dict(memory);  // the last call that may throw: before the first change
      } catch (const Error& error) {
        fail(path.string(), ": ", error.what());
      }
    }
    for (const auto& [into, values] : all) copy_state(into, values);
    steps_ = state.steps;
    skipped_ = state.skipped;
    in_a_row_ = state.skipped_in_a_row;
    if (options_.precision == Precision::automatic && state.bfloat16)
      precision_ = *state.bfloat16 ? Precision::bfloat16 : Precision::float32;
    return state;
  }

  /// The type, as from `name()`.
  static std::string variant() {
    if constexpr (requires { Trained::name(); })
      return Trained::name();
    else
      return type_name<Trained>();
  }

 private:
  static std::shared_ptr<Trained> frozen(std::shared_ptr<Trained> trained, const Options& options) {
    require(trained != nullptr, "train::Trainer: nothing to train: the pretrainer is null");
    train::freeze(*trained, options.freeze);
    return trained;
  }

  /// Order of the module, not of the optimizer's groups. One group holds the biases and norms of all layers, and its
  /// bucket would delay all others to the end of the backward pass.
  std::vector<at::Tensor> learning() const {
    std::vector<at::Tensor> all;
    std::unordered_set<const void*> seen;
    for (const auto& p : trained_->parameters())
      if (p.requires_grad() && seen.insert(p.unsafeGetTensorImpl()).second) all.push_back(p);
    return all;
  }

  /// Ranks with different measurements would train with different rounding.
  void agree_on_precision(Precision mine) {
    auto slow = at::tensor({std::int64_t{mine == Precision::float32}}, at::kLong);
    if (comm_->size() > 1) comm_->all_reduce(slow);
    precision_ = slow.template item<std::int64_t>() > 0 ? Precision::float32 : Precision::bfloat16;
  }

  void share_weights() {
    if (comm_->size() == 1) return;
    c10::NoGradGuard no_grad;
    for (const auto& [name, tensor] : nn::named_state(*trained_)) {
      const auto wide = tensor.is_floating_point() ? at::kDouble : at::kLong;
      auto sum = comm_->rank() == 0 ? tensor.detach().to(wide) : at::zeros_like(tensor, wide);
      comm_->all_reduce(sum);
      at::Tensor(tensor).copy_(sum);
    }
  }

  /// Every step draws from a separate stream, so that a resume needs no generator state.
  void seed_dropout(std::int64_t batch) {
    if (options_.seed == 0) return;
    Random random(options_.seed, static_cast<std::uint64_t>(steps_ * options_.accumulate + batch),
                  static_cast<std::uint64_t>(comm_->rank()));
    at::manual_seed(random());
  }

  decltype(auto) here(const Batch& batch) const {
    if constexpr (requires { batch.to(device_); }) {
      return batch.to(device_);
    } else {
      require(device_.is_cpu(), "train::Trainer: ", type_name<Batch>(), " has no to(device), which training on ",
              device_.str(), " takes");
      return (batch);
    }
  }
  StateDict here(StateDict memory) const {
    for (auto& [name, tensor] : memory) tensor = tensor.to(device_);
    return memory;
  }

  void add(StepReport& report, const Batch& batch) {
    auto losses = [&] {
      const Autocast autocast(precision_, device_);
      if constexpr (requires { trained_->losses(batch, *comm_); }) {
        if (comm_->size() > 1) return shared_losses(report, batch);
      } else {
        require(comm_->size() == 1, "train::Trainer: ", type_name<Trained>(),
                " has no losses(const Batch&, Comm&), which training on several ranks takes");
      }
      report.samples += batch.size();
      return trained_->losses(batch);
    }();
    const auto share = 1.0 / static_cast<double>(options_.accumulate);
    report.loss += share * losses.total.template item<double>();
    report.parts.resize(losses.parts.size());
    for (std::size_t i = 0; i < losses.parts.size(); ++i) report.parts[i] += share * losses.parts[i];
    (share == 1 ? losses.total : losses.total * share).backward();
  }

  auto shared_losses(StepReport& report, const Batch& batch) {
    std::int64_t n = batch.size();
    for (const auto& other : comm_->all_gather(at::tensor({n}, at::kLong)))
      n = std::min(n, other.template item<std::int64_t>());
    require(n > 0, "train::Trainer: a rank has no sample for this step");
    report.samples += n;
    return trained_->losses(n == batch.size() ? batch : batch.select(at::arange(n, device_)), *comm_);
  }

  void over_ranks(StepReport& report) {
    if (comm_->size() == 1) return;
    std::vector<double> all = report.parts;
    all.insert(all.end(), {report.loss, static_cast<double>(report.samples)});
    auto sum = at::tensor(all, at::kDouble);
    comm_->all_reduce(sum);
    const auto* value = sum.template data_ptr<double>();
    for (double& part : report.parts) part = *value++;
    report.loss = *value++;
    report.samples = static_cast<std::int64_t>(*value);
  }

  void count(bool skipped) {
    in_a_row_ = skipped ? in_a_row_ + 1 : 0;
    if (!skipped) return;
    ++skipped_;
    require(in_a_row_ < options_.max_consecutive_skips, "train::Trainer: ", in_a_row_,
            " steps in a row had no finite gradient, the last is step ", steps_,
            "; the weights are those from before. Lower the learning rate, or check the data of these steps");
  }

  std::shared_ptr<Trained> trained_;
  at::Device device_;
  Options options_;
  std::shared_ptr<Comm> comm_;
  Precision precision_ = Precision::float32;
  AdamW optimizer_;
  std::optional<GradientSum<Comm>> sum_;
  std::optional<Ema> ema_;
  std::int64_t steps_ = 0, skipped_ = 0, in_a_row_ = 0;
};

}  // namespace rc3::train
