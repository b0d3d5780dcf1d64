#pragma once
/// Context of a program of tasks: its settings, device, tokenizer, and the pre-trained model.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/data/errors/data_errors.hpp"
#include "rc3/experiment/init.hpp"
#include "rc3/experiment/tasks/settings.hpp"
#include "rc3/io/image/available_decoders.hpp"
#include "rc3/task/task.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/train/device.hpp"
#include "rc3/train/fine_tune.hpp"
#include "rc3/train/precision.hpp"

namespace rc3::experiment {

/// What the evaluation of each task shares: settings, model and ranks.
/// @tparam E  an experiment's definition
template <class E>
struct TaskContext {
  using Model = std::remove_cvref_t<decltype(*E::make(std::declval<const typename E::Config&>())->model())>;
  using Prepare = task::PrepareExample<io::AvailableDecoders>;

  TaskSettings<typename E::Config> settings;
  at::Device device = train::use_device(settings.device);  ///< of models
  train::Precision precision = train::resolve(settings.tune.precision, device);
  text::Tokenizer tokenizer;
  mutable data::DataErrors errors;  ///< counts damaged examples of all tasks

  /// @throws rc3::Error for an unknown task, device or tokenizer
  explicit TaskContext(TaskSettings<typename E::Config> all)
      : settings(std::move(all)), tokenizer(E::tokenizer(settings.variant)) {
    for (const auto& name : settings.task.names)
      require(std::find(task_names.begin(), task_names.end(), name) != task_names.end(),
              "task.names: there is no task ", name,
              "; give entailment, questions, reasoning, retrieval or translation");
  }

  /// The pre-trained model, from a model directory, a model file, or a checkpoint of this variant.
  std::shared_ptr<Model> model() const {
    const auto trained = E::make(settings.variant);
    if (!settings.init.empty()) init_weights(settings.init, *trained);
    trained->model()->to(device);
    return trained->model();
  }

  /// For evaluation: no augmentation.
  Prepare prepare(task::Answers answers) const {
    auto images = E::prepare(settings.variant);
    return Prepare(tokenizer, std::move(answers), {std::move(images.image), std::nullopt, images.limits});
  }

  /// Scope guard: models compute in the precision of tuning.
  train::Autocast autocast() const { return train::Autocast(precision, device); }

  /// All examples of @p set, with frozen features.
  template <class Set>
  task::CachedExamples cache(Model& model, const Set& set, const Prepare& prepare, const std::string& label) const {
    std::optional<train::Progress> bar;
    const auto autocast = this->autocast();
    return task::CachedExamples(model, set, prepare, errors, [&](std::int64_t done, std::int64_t all) {
      if (!bar) {
        train::Progress::Options options;
        options.label = label;
        options.unit = "examples";
        options.every_seconds = 60;
        options.every_share = 2;  // not on a terminal only the final line
        bar.emplace(all, std::cout, train::stdout_is_terminal(), options);
      }
      bar->update(done);
      if (done == all) bar->finish();
    });
  }

  /// @param align  whether the layers that align images and texts are also tuned
  train::FineTuneOptions tuning(const std::string& label, std::uint64_t seed, bool align = false) const {
    const auto& t = settings.tune;
    return tuning(label, seed, align, t.steps, t.learning_rate);
  }
  /// Options for a decoder, which is trained from scratch.
  train::FineTuneOptions tuning_to_write(const std::string& label, std::uint64_t seed) const {
    const auto& t = settings.tune;
    return tuning(label, seed, false, t.translation_steps, t.translation_rate);
  }

  /// Ablations for the evaluation of @p examples: none, and the controls if enabled. Single feature types are included
  /// only if every image has regions.
  std::vector<task::Ablation> ablations(const task::CachedExamples& examples) const {
    if (!settings.tune.controls) return {task::Ablation::none};
    std::vector<task::Ablation> all(task::ablations.begin(), task::ablations.end());
    if (!all_have_regions(examples)) {
      std::erase(all, task::Ablation::regions_only);
      std::erase(all, task::Ablation::patches_only);
    }
    return all;
  }

 private:
  static bool all_have_regions(const task::CachedExamples& examples) {
    for (std::int64_t i = 0; i < examples.images(); ++i) {
      const auto image = examples.images(i, i + 1);
      if (!image.boxes.defined() && !image.regions.defined()) return false;
      if (image.region_mask.defined() && !image.region_mask.any().item<bool>()) return false;
    }
    return true;
  }

  train::FineTuneOptions tuning(const std::string& label, std::uint64_t seed, bool align, std::int64_t steps,
                                double rate) const {
    const auto& t = settings.tune;
    train::FineTuneOptions o;
    o.train.optimizer.learning_rate = rate;
    o.train.optimizer.weight_decay = 0.05;
    if (!align) o.train.freeze = t.freeze;
    o.train.precision = precision;
    o.train.schedule = {steps / 10, steps, 0.0};
    o.train.seed = seed;
    o.every = std::max<std::int64_t>(1, steps / 8);
    o.label = label;
    return o;
  }
};

}  // namespace rc3::experiment
