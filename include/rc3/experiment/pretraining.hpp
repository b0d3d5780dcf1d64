#pragma once
/// Pre-training by stages on any data set: open, calibrate, cache frozen features, train, resume, evaluate.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/communicator.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/loader/collate.hpp"
#include "rc3/data/loader/lengths.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/prepare.hpp"
#include "rc3/data/open.hpp"
#include "rc3/experiment/card.hpp"
#include "rc3/experiment/definition.hpp"
#include "rc3/experiment/fixed_options.hpp"
#include "rc3/experiment/init.hpp"
#include "rc3/experiment/settings.hpp"
#include "rc3/features/features.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/folder_lock.hpp"
#include "rc3/io/image/available_decoders.hpp"
#include "rc3/pipeline/save.hpp"
#include "rc3/task/retrieval_evaluation.hpp"
#include "rc3/text/tokenizer.hpp"
#include "rc3/train/device.hpp"
#include "rc3/train/freeze.hpp"
#include "rc3/train/precision.hpp"
#include "rc3/train/progress.hpp"
#include "rc3/train/run.hpp"

namespace rc3::experiment {

/// A training from its data to its last evaluation. Each stage has its checkpoints in a folder of its name; the same
/// call continues an interrupted run in any stage.
/// @tparam E     the experiment's definition
/// @tparam Comm  the ranks
template <Definition E, Communicator Comm = Single>
class Pretraining {
 public:
  using Trained = typename E::Trained;
  using Model = std::remove_cvref_t<decltype(*std::declval<Trained&>().model())>;

  /// Opens the data and builds the model.
  /// @throws rc3::Error naming the invalid option or file
  Pretraining(const Settings<E>& settings, config::Provenance provenance, const at::Device& device,
              std::shared_ptr<Comm> comm = std::make_shared<Comm>(), std::ostream& out = std::cout)
      : settings_(checked(settings)),
        provenance_(std::move(provenance)),
        device_(device),
        comm_(std::move(comm)),
        out_(out),
        tokenizer_(E::tokenizer(settings.variant)),
        prepare_(E::prepare(settings.variant)) {
    if (const auto& folder = settings_.checkpoint.folder; first_rank() && !folder.empty() && *names[0] != '\0') {
      io::make_folder(folder);
      lock_.emplace(folder);  // the runs of the stages lock their own folders, one at a time
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      if (steps_of(i) > 0) open(settings_.stages[i].data.paths.empty() ? settings_.data : settings_.stages[i].data);
    if (first_rank() && settings_.held_out)
      held_out_ = settings_.held_out;
    else if (first_rank() && !settings_.validation.paths.empty())
      held_out_ = data::open(settings_.validation, held_out_errors_);
    trained_ = E::make(settings_.variant);
    if (!settings_.init.empty()) init_weights(settings_.init, *trained_);
    trained_->to(device_);
  }
  Pretraining(const Pretraining&) = delete;
  Pretraining& operator=(const Pretraining&) = delete;

  /// Trains all stages. @return reason of the end: of the last stage, or of one that a signal stopped
  train::StopReason run() {
    if (first_rank()) describe();
    auto reason = train::StopReason::complete;
    std::size_t last = 0;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (steps_of(i) > 0) last = i;
    for (std::size_t i = 0; i <= last; ++i) {
      if (steps_of(i) == 0) continue;
      reason = run_stage(i, i == last);
      if (reason == train::StopReason::stopped) return reason;
    }
    if (first_rank() && errors_.count() > 0) out_ << errors_.report();
    if (held_out_errors_.count() > 0) out_ << "validation: " << held_out_errors_.report();
    return reason;
  }

  const Settings<E>& settings() const { return settings_; }
  const std::shared_ptr<Trained>& trained() const { return trained_; }
  Model& model() { return *trained_->model(); }
  /// Recall on the held-out data: after training and, with Validation::untrained, before it; empty without such data.
  const std::vector<task::LanguageRecall>& recall() const { return recall_; }
  const std::vector<task::LanguageRecall>& untrained_recall() const { return untrained_; }
  /// The held-out samples with their features; null without such data.
  features::CachedSamples* held_out() { return cached_held_out_.get(); }

 private:
  static constexpr auto names = stage_names<E>();
  static constexpr std::int64_t cached_at_most = 20'000;  // samples

  bool first_rank() const { return comm_->rank() == 0; }
  std::int64_t steps_of(std::size_t i) const { return settings_.stages[i].train.schedule.total; }
  train::Precision precision(std::size_t stage) const { return settings_.stages[stage].train.precision; }
  /// @throws rc3::Error when no stage has a step, or a stage has no data or a wrong number of weights
  static const Settings<E>& checked(const Settings<E>& settings) {
    bool any = false;
    for (const auto& stage : settings.stages) {
      if (stage.train.schedule.total == 0) continue;
      any = true;
      require(stage.objectives.empty() || stage.objectives.size() == Trained::objectives,
              "objectives: the variant has ", Trained::objectives, " objectives, got ", stage.objectives.size(),
              " weights");
      require(settings.dataset || !settings.data.paths.empty() || !stage.data.paths.empty(),
              "no data set is given: set data.paths");
    }
    require(any, "no stage has a step: set schedule.total");
    require(settings.validation.every == 0 || settings.held_out || !settings.validation.paths.empty(),
            "validation.every: there is no held-out data to evaluate on; set validation.paths");
    return settings;
  }

  /// Opens each data set once. @return its key
  std::string open(const data::OpenOptions& options) {
    const auto key = config::to_json(options).dump();
    if (sources_.contains(key)) return key;
    sources_.emplace(key,
                     options.paths.empty() && settings_.dataset ? *settings_.dataset : data::open(options, errors_));
    return key;
  }

  void describe() {
    const auto count = nn::count_parameters(*trained_);
    out_ << Trained::name() << "\nparameters  " << count.total << ", of which " << count.trainable << " learn\n";
    for (const auto& [key, source] : sources_)
      out_ << "data        " << source.name() << ", " << source.size() << " samples, " << source.languages().size()
           << " languages\n";
    if (held_out_) out_ << "validation  " << held_out_->name() << ", " << held_out_->size() << " samples\n";
    out_ << errors_.left_aside() << held_out_errors_.left_aside() << "device      " << device_.str() << ", "
         << (train::resolve(precision(0), device_) == train::Precision::bfloat16 ? "bfloat16" : "float32") << '\n'
         << config::described_set(settings_, provenance_) << std::endl;
  }

  features::Progress progress(std::string label) {
    if (!first_rank()) return {};
    auto bar = std::make_shared<std::optional<train::Progress>>();
    return [this, bar, label = std::move(label)](std::int64_t done, std::int64_t all) {
      if (!*bar) {
        train::Progress::Options options;
        options.label = label;
        options.unit = "images";
        options.every_seconds = 60;
        options.every_share = 2;  // not on a terminal only the final line
        bar->emplace(all, out_, train::stdout_is_terminal(), options);
      }
      (*bar)->update(done);
      if (done == all) (*bar)->finish();
    };
  }

  preprocess::PrepareImage<io::AvailableDecoders> evaluation_images() const {
    return preprocess::PrepareImage<io::AvailableDecoders>({prepare_.image, std::nullopt, prepare_.limits});
  }

  features::Encode encode() const {
    return [tokenizer = tokenizer_](const std::string& text) { return tokenizer.encode(text); };
  }

  bool caches(const Stage& stage, const data::AnyDataset& source) const {
    const auto mode = stage.loader.cache;
    if (mode == FeatureCaching::off) return false;
    if (mode == FeatureCaching::on) {
      require(!prepare_.augment.has_value(),
              "loader.cache: images are augmented, so that their features change in every epoch; give off");
      require(stage.loader.tokens == 0, "loader.cache: batches of cached features have no token budget; give off");
      return true;
    }
    return frozen_text_layers() >= 0 && !prepare_.augment && stage.loader.tokens == 0 &&
           source.size() <= cached_at_most;
  }

  std::int64_t frozen_text_layers() const {
    if constexpr (requires { trained_->model()->text_policy()->frozen_layers(); })
      return trained_->model()->text_policy()->frozen_layers();
    return -1;
  }

  train::StopReason run_stage(std::size_t i, bool last) {
    const auto& stage = settings_.stages[i];
    const std::string name = names[i];
    if constexpr (requires { E::begin_stage(*trained_, settings_.variant, name); }) {
      const auto before = frozen_text_layers();
      if (E::begin_stage(*trained_, settings_.variant, name)) cached_.reset();  // image features change as well
      if (cached_held_out_ && frozen_text_layers() != before) cached_held_out_->clear_texts();
    }
    if (cached_) cached_->clear_texts();  // a resume of this stage has none from the stage before either
    set_weights(stage);
    const train::TrainableGuard restore_frozen(*trained_);  // Options::freeze applies to one stage
    train::Trainer<Trained, Comm> trainer(trained_, stage.train, comm_);
    train::RunOptions options{settings_.checkpoint, settings_.log, config::to_json(settings_), provenance_};
    if (!name.empty()) {
      options.label = name;
      if (!options.checkpoint.folder.empty()) options.checkpoint.folder /= name;
    }
    auto fixed = fixed_options(name, !stage.data.paths.empty());
    options.fixed = std::move(fixed.always);
    options.training = std::move(fixed.when_complete);
    train::Run<Trained, Comm> run(trainer, options, out_);
    if (run.resumed_at() > 0) calibrated_ = true;
    const auto& source = sources_.at(open(stage.data.paths.empty() ? settings_.data : stage.data));
    if (last)
      run.tables([&] {
        auto tables = evaluate();
        // Here, since these are the weights of the figures: averaged ones where there are some.
        if (const auto failure = save_model("last", tables); !failure.empty())
          unsaved_ = "the run is complete, but its model is not written: " + failure;
        return tables;
      });
    if (last && settings_.validation.every > 0) evaluate_during(run);
    const auto end = [&](train::StopReason reason) {
      require(unsaved_.empty(), unsaved_);
      return reason;
    };
    if (trainer.steps() >= stage.train.schedule.total) return last ? end(run.finish()) : train::StopReason::complete;
    if (caches(stage, source)) {
      auto batches = [&] {
        const train::Autocast autocast(trainer.precision(), device_);
        auto& samples = cached(stage, source, name);
        calibrate(stage, samples);
        return features::CachedPairs<Model>(
            model(), samples, data::Pairing(source.languages(), stage.pairing),
            {stage.loader.seed, stage.loader.batch, comm_->size(), comm_->rank(), settings_.checkpoint.changes},
            run.loader_state());
      }();
      return end(run.train(batches));
    }
    if (!calibrated_) {
      calibrate_backbone(source);
      features::CachedSamples some(model(), source, encode(), evaluation_images(), errors_,
                                   {.max_samples = 1024, .workers = static_cast<int>(stage.loader.workers)},
                                   progress("calibrate"));
      calibrate(stage, some);
    }
    data::LoaderOptions loading;
    loading.order = {.seed = stage.loader.seed, .window = stage.loader.window};
    loading.batch = {.size = stage.loader.batch, .tokens = stage.loader.tokens, .ranks = comm_->size()};
    loading.workers = static_cast<int>(stage.loader.workers);
    loading.prefetch = static_cast<int>(stage.loader.prefetch);
    loading.rank = comm_->rank();
    loading.changes = settings_.checkpoint.changes;
    auto prepare = prepare_;
    prepare.pairing = stage.pairing;
    data::Loader loader(
        source, data::PrepareSample<io::AvailableDecoders>(tokenizer_, source.languages(), std::move(prepare)),
        data::CollateSamples(), errors_, loading,
        stage.loader.tokens > 0 ? data::measure_lengths(source, tokenizer_) : nullptr, run.loader_state());
    return end(run.train(loader));
  }

  void set_weights(const Stage& stage) {
    if (stage.objectives.empty()) return;
    std::array<double, Trained::objectives> weights{};
    std::copy(stage.objectives.begin(), stage.objectives.end(), weights.begin());
    trained_->set_weights(weights);
  }

  /// Weights of `init` bring their own calibration.
  void calibrate_backbone(const data::AnyDataset& source) {
    if (settings_.init.empty()) features::calibrate_backbone(model(), source, evaluation_images());
  }

  void calibrate(const Stage& stage, features::CachedSamples& samples) {
    const bool first = !std::exchange(calibrated_, true);
    if (first && settings_.init.empty()) features::calibrate_heads(model(), samples, stage.pairing.languages);
    features::calibrate_relevance(*trained_, samples, stage.pairing.languages);
    // Before the first step only: the weights of a resumed run are trained.
    if (first && settings_.validation.untrained && held_out_) untrained_ = recall_now();
  }

  features::CachedSamples& cached(const Stage& stage, const data::AnyDataset& source, const std::string& name) {
    if (!cached_ || cached_source_ != &source) {
      cached_.reset();  // only one at a time: they are large
      if (!calibrated_) calibrate_backbone(source);
      cached_ = std::make_unique<features::CachedSamples>(
          model(), source, encode(), evaluation_images(), errors_,
          features::CachedSamplesOptions{.workers = static_cast<int>(stage.loader.workers),
                                         .folder = settings_.features},
          progress(name.empty() ? "encode images" : "encode images, " + name));
      cached_source_ = &source;
    }
    return *cached_;
  }

  /// Recall on rank 0, in eval mode.
  std::vector<task::LanguageRecall> recall_now(std::int64_t rerank = 0) {
    const train::EvaluationMode evaluation(*trained_);
    const train::Autocast autocast(precision(0), device_);
    if (!cached_held_out_)
      cached_held_out_ = std::make_unique<features::CachedSamples>(
          model(), *held_out_, encode(), evaluation_images(), held_out_errors_,
          features::CachedSamplesOptions{.max_samples = settings_.validation.max_images, .folder = settings_.features},
          progress("encode held-out images"));
    const auto& v = settings_.validation;
    return task::RetrievalEvaluation(model(), *cached_held_out_, {v.languages, rerank, v.rerank_weight}).recall();
  }

  /// Evaluates the run every `validation.every` steps; the best model so far is the model directory `best`.
  void evaluate_during(train::Run<Trained, Comm>& run) {
    run.evaluate(settings_.validation.every, [this, &run]() -> double {
      if (!first_rank()) return 0;  // rank 0's value counts
      std::vector<task::LanguageRecall> recall;
      try {
        recall = recall_now(settings_.validation.rerank);
      } catch (const Error& error) {
        out_ << "\nvalidation: " << error.what() << std::endl;
        return -1;  // below every recall, and no model is saved
      }
      std::vector<std::string> languages;
      for (const auto& one : recall) languages.push_back(one.language);
      const double metric = task::mean_recall(recall, languages).to_image.at1;
      if (run.best() && metric <= run.best()->metric) return metric;
      if (const auto failure = save_model("best", {task::recall_table(recall)}); !failure.empty())
        out_ << "\nthe best model so far is not written: " << failure << std::endl;
      return metric;
    });
  }

  /// Writes the model directory @p name into the folder of checkpoints. @return why it could not be written; empty: it
  /// could, or there is no folder
  std::string save_model(const std::string& name, const std::vector<train::report::Table>& tables) {
    const auto& folder = settings_.checkpoint.folder;
    if (!first_rank() || folder.empty()) return "";
    if constexpr (pipeline::Describable<Model>) {
      try {
        auto card = card_of<E>(folder.filename().string(), sources_, tables);
        save(Pipeline<Model>{trained_->model(), tokenizer_, prepare_.image, std::move(card)}, folder / name);
        out_ << (name == "last" ? "model       " : "\nbest model  ") << (folder / name).string() << std::endl;
      } catch (const Error& error) {
        return error.what();
      }
    } else if (name == "last") {
      out_ << "model       not written as a directory: a policy of " << Model::name()
           << " has no options() or parts() [docs/concepts/model-directory.md]" << std::endl;
    }
    return "";
  }

  /// Damaged held-out data must not end a run of days without its report: the error is printed.
  std::vector<train::report::Table> evaluate() {
    if (!held_out_) return {};
    try {
      recall_ = recall_now();
      std::vector<train::report::Table> tables{task::recall_table(recall_)};
      if (const auto best = settings_.validation.rerank; best > 0) {
        tables.push_back(task::recall_table(recall_now(best)));
        tables.back().title += join(", the best ", best, " ordered by ITM");
      }
      for (const auto& table : tables) out_ << train::report::text_of(table) << std::flush;
      return tables;
    } catch (const Error& error) {
      out_ << "validation: " << error.what() << std::endl;
      return {};
    }
  }

  Settings<E> settings_;
  config::Provenance provenance_;
  at::Device device_;
  std::shared_ptr<Comm> comm_;
  std::ostream& out_;
  text::Tokenizer tokenizer_;
  data::PrepareOptions prepare_;
  data::DataErrors errors_{{.fraction = settings_.stages[0].loader.errors}};
  data::DataErrors held_out_errors_{{.fraction = settings_.stages[0].loader.errors}};
  std::unordered_map<std::string, data::AnyDataset> sources_;
  std::optional<data::AnyDataset> held_out_;
  std::shared_ptr<Trained> trained_;
  std::unique_ptr<features::CachedSamples> cached_, cached_held_out_;
  const data::AnyDataset* cached_source_ = nullptr;
  bool calibrated_ = false;
  std::optional<io::FolderLock> lock_;
  std::string unsaved_;  ///< why the model directory could not be written; empty: it could
  std::vector<task::LanguageRecall> recall_, untrained_;
};

}  // namespace rc3::experiment
