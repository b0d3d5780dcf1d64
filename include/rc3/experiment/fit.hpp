#pragma once
/// Training in two calls: pretrain() adds objectives to a model, fit() trains it.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rc3/config/config.hpp"
#include "rc3/experiment/pretraining.hpp"
#include "rc3/model/pretrain.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/pipeline/pipeline.hpp"

namespace rc3 {

/// Model with its objectives. A cheap handle: copies share the model.
template <class M, class... Objectives>
struct Trainable {
  Pipeline<M> pipeline;                                      ///< its model is the pretrainer's
  std::shared_ptr<Pretrainer<M, Objectives...>> pretrainer;  ///< model and objectives, trained in place
};

namespace experiment::detail {

/// Definition of an experiment whose model exists already.
template <class M, class... Objectives>
struct Given {
  using Trained = Pretrainer<M, Objectives...>;
  struct Config {
    std::shared_ptr<Trained> trained;
    std::optional<text::Tokenizer> tokenizer;
    data::PrepareOptions prepare;

    template <class V>
    friend void visit_fields(Config&, V&&) {}
  };
  static std::shared_ptr<Trained> make(const Config& c) { return c.trained; }
  static text::Tokenizer tokenizer(const Config& c) { return *c.tokenizer; }
  static data::PrepareOptions prepare(const Config& c) { return c.prepare; }
};

/// Origins of the options: those that differ from the defaults come from the call of fit().
template <class Settings>
config::Provenance provenance_of(Settings settings) {
  Settings defaults;
  auto sources = config::default_provenance(defaults);
  std::vector<nlohmann::ordered_json> values;
  config::for_each_field(defaults, [&](const std::string&, const auto& value, const char*, const config::Bounds&) {
    values.push_back(config::value_to_json(value));
  });
  std::size_t i = 0;
  config::for_each_field(settings, [&](const std::string&, const auto& value, const char*, const config::Bounds&) {
    if (config::value_to_json(value) != values[i]) sources[i].second = "fit()";
    ++i;
  });
  return sources;
}

}  // namespace experiment::detail

/// The pipeline's model with objectives, as pretrain() of the model, to be trained by fit().
template <class M, class... Objectives>
auto pretrain(const Pipeline<M>& pipeline, Objectives... objectives) {
  return [&]<class... O>(std::shared_ptr<Pretrainer<M, O...>> pretrainer) {
    return Trainable<M, O...>{pipeline, std::move(pretrainer)};
  }(pretrain(pipeline.model, std::move(objectives)...));
}

/// Options of fit(). All others have the defaults of experiment::Settings.
struct FitOptions {
  std::int64_t steps = 1000;             ///< of the whole run, > 0
  std::filesystem::path folder = {};     ///< of checkpoints, log, report and the trained model; empty: none is written
  std::int64_t batch = 64;               ///< images per step, > 1
  double learning_rate = 5e-4;           ///< highest, > 0; it rises for 1/20 of the steps, then falls to 0
  data::PairingOptions pairing = {};     ///< selection of text pairs
  std::uint64_t seed = 1;                ///< of order, pairs and dropout
  std::int64_t checkpoint_every = 1000;  ///< steps between two checkpoints, > 0
  std::optional<data::AnyDataset> validation = std::nullopt;  ///< images and texts for recall by language at the end
  data::Changes changes = data::Changes::refuse;  ///< of data and seed since the checkpoint that a call resumes from
};

/// Trains on @p data. A second call with the same folder, model and options resumes the run. SIGINT and SIGTERM stop it
/// after a checkpoint.
/// @param data  a Dataset, for example data::Manifest
/// @return reason of the end
/// @throws rc3::Error naming the invalid option or file
template <class M, class... Objectives, data::Dataset Data>
train::StopReason fit(const Trainable<M, Objectives...>& trainable, Data data, const FitOptions& options = {},
                      std::ostream& out = std::cout) {
  using Experiment = experiment::detail::Given<M, Objectives...>;
  require(options.steps > 0, "fit: steps must be above 0, is ", options.steps);
  require(options.batch > 1, "fit: batch must be above 1, is ", options.batch);
  if constexpr (requires { data.errors()->report(); })
    if (data.errors() != nullptr && data.errors()->count() > 0) out << data.errors()->report();
  experiment::Settings<Experiment> settings;
  settings.variant = {trainable.pretrainer, trainable.pipeline.tokenizer, {.image = trainable.pipeline.images}};
  if constexpr (std::is_same_v<Data, data::AnyDataset>)
    settings.dataset = std::move(data);
  else
    settings.dataset.emplace(std::move(data));
  settings.held_out = options.validation;
  auto& stage = settings.stages[0];
  // A short run reads few of the images: encoding all of them first would take longer than the run.
  if (options.steps < settings.dataset->size() / options.batch) stage.loader.cache = experiment::FeatureCaching::off;
  stage.pairing = options.pairing;
  stage.loader.batch = options.batch;
  stage.loader.seed = options.seed;
  stage.train.seed = static_cast<std::int64_t>(options.seed);
  stage.train.optimizer.learning_rate = options.learning_rate;
  stage.train.schedule.total = options.steps;
  stage.train.schedule.warmup = options.steps / 20;
  settings.checkpoint.folder = options.folder;
  settings.checkpoint.every = options.checkpoint_every;
  settings.checkpoint.changes = options.changes;
  return experiment::Pretraining<Experiment>(settings, experiment::detail::provenance_of(settings),
                                             nn::device_of(*trainable.pipeline.model), std::make_shared<Single>(), out)
      .run();
}

}  // namespace rc3
