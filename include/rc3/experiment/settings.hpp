#pragma once
/// Options of a training program. LibTorch-free.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rc3/config/config.hpp"
#include "rc3/data/any_dataset.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/data/loader/pairing.hpp"
#include "rc3/data/open.hpp"
#include "rc3/train/fields.hpp"

namespace rc3::experiment {

/// Caching of frozen features of all samples in memory.
enum class FeatureCaching {
  automatic,  ///< for a model with a frozen encoder, images without augmentation, and at most 20,000 samples
  on,
  off  ///< images are read and encoded in each epoch
};

/// Options of the loader.
struct Loading {
  std::int64_t batch = 64;                           ///< samples per batch, over all ranks, > 0
  std::int64_t tokens = 0;                           ///< token budget of a batch, see data::BatchOptions; 0: none
  std::int64_t window = 4096;                        ///< of shuffling
  std::int64_t workers = 2;                          ///< threads, >= 0
  std::int64_t prefetch = 4;                         ///< maximum batches made ahead, > 0
  std::uint64_t seed = 1;                            ///< of order, pairs and augmentation
  double errors = 0.01;                              ///< fraction of the samples that may be damaged, in [0, 1]
  FeatureCaching cache = FeatureCaching::automatic;  ///< of frozen features
};

/// Retrieval data and options for the evaluation at the end of a run.
struct Validation : data::OpenOptions {
  Validation() { default_split = "val"; }
  std::int64_t max_images = 1000;  ///< evenly spread over the data, > 1
  bool untrained = false;          ///< evaluate before training as well
  std::int64_t rerank = 0;         ///< number of best images or texts that ITM re-ranks
  double rerank_weight = 1.0;      ///< weight of ITM's probability, added to the cosine, >= 0
  /// Steps of the last stage between evaluations; 0: evaluation at the end only. The model with the highest mean R@1,
  /// text to image, over the languages is the model directory `best`.
  std::int64_t every = 0;
};

/// One stage of a training: its data, objectives and training options.
struct Stage {
  data::OpenOptions data = {};          ///< no paths: those of the program
  std::vector<double> objectives = {};  ///< weights, in the order of the variant; empty: the variant's weights
  data::PairingOptions pairing = {};    ///< selection of text pairs
  Loading loader = {};                  ///< how samples are read
  train::Options train = {};            ///< its schedule's total is the length of the stage
};

/// Names of the stages of an experiment; a single unnamed one if the experiment has no `stages`.
template <class E>
constexpr auto stage_names() {
  if constexpr (requires { E::stages; })
    return E::stages;
  else
    return std::array<const char*, 1>{""};
}

/// Options of an experiment's training program.
/// @tparam E  the experiment's definition
template <class E>
struct Settings {
  data::OpenOptions data = {};                             ///< of training, for stages without paths
  Validation validation = {};                              ///< held-out data; no paths: no evaluation
  std::optional<data::AnyDataset> dataset = {};            ///< in place of data.paths; not an option
  std::optional<data::AnyDataset> held_out = {};           ///< in place of validation.paths; not an option
  std::array<Stage, stage_names<E>().size()> stages = {};  ///< in the order of training
  typename E::Config variant = {};                         ///< model and objectives
  train::CheckpointOptions checkpoint = {};                ///< folder, frequency, number kept
  train::LogOptions log = {};                              ///< frequency of lines, event file, report
  std::filesystem::path init = {};  ///< initial weights: a model directory or model.safetensors; empty: the variant's
  std::filesystem::path features = {};  ///< folder of frozen features on disk; empty: memory only
  std::uint64_t seed = 0;               ///< replaces the seeds of all stages; 0: no effect
  std::int64_t threads = 0;             ///< of computation; 0: LibTorch's default
  std::string device = "auto";          ///< cpu, cuda, cuda:N, or auto: this rank's GPU if there is one
  std::string backend = "auto";         ///< between ranks: nccl, gloo, or auto: NCCL if the program has it

  /// Defaults, as changed by `E::configure(settings)`, if it exists.
  Settings() {
    if constexpr (requires { E::configure(*this); }) E::configure(*this);
  }

  /// Sets the seed of every stage, unless it is 0.
  void spread_seed() {
    if (seed == 0) return;
    for (auto& stage : stages) stage.loader.seed = stage.train.seed = seed;
  }
};

template <class V>
void visit_fields(Validation& o, V&& v) {
  visit_fields(static_cast<data::OpenOptions&>(o), v);
  v("max_images", o.max_images, "most images to search, evenly spread over the data", config::above(1));
  v("untrained", o.untrained, "evaluate the model before training as well");
  v("rerank", o.rerank, "best images or texts of each query that ITM re-ranks; 0: none", config::at_least(0));
  v("rerank_weight", o.rerank_weight, "weight of ITM's probability, added to the cosine", config::at_least(0));
  v("every", o.every, "steps between evaluations in the last stage; the best model is kept in best/; 0: at the end",
    config::at_least(0));
}

template <class V>
void visit_fields(Loading& o, V&& v) {
  v("batch", o.batch, "samples of a batch, over all ranks", config::above(0));
  v("tokens", o.tokens, "most padded tokens of a batch: samples times the longest text; 0: no limit",
    config::at_least(0));
  v("window", o.window, "samples that are shuffled together", config::above(0));
  v("workers", o.workers, "threads that read and prepare samples", config::at_least(0));
  v("prefetch", o.prefetch, "most batches prepared ahead", config::above(0));
  v("seed", o.seed, "seed of order, pairs and augmentation");
  v("errors", o.errors, "fraction of the samples that may be damaged", config::within(0, 1));
  v("cache", o.cache, "whether frozen features are computed once and kept in memory");
}

template <class V, class E>
void visit_fields(Settings<E>& s, V&& v) {
  v("data", s.data, "training data");
  v("validation", s.validation, "held-out data for recall by language; no paths: none");
  constexpr auto names = stage_names<E>();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (*names[i] == '\0')
      visit_fields_but_data(s.stages[i], v);
    else
      v(names[i], s.stages[i], "a stage");
  v("variant", s.variant, "the model and its objectives");
  v("checkpoint", s.checkpoint, "checkpoints");
  v("log", s.log, "log");
  v("init", s.init, "initial weights: the model directory of an earlier run of this variant, or its model.safetensors");
  v("features", s.features,
    "folder for frozen features, shared by all runs with the same frozen layers; empty: memory");
  v("seed", s.seed, "seed of weights, order, pairs and dropout for all stages; 0: each stage has its own");
  v("threads", s.threads, "compute threads; 0: LibTorch's default", config::at_least(0));
  v("device", s.device, "cpu, cuda, cuda:N, or auto: this rank's GPU if there is one");
  v("backend", s.backend, "communication between ranks: nccl, gloo, or auto: NCCL if the program has it");
}

template <class V>
void visit_fields_but_data(Stage& s, V&& v) {
  v("objectives", s.objectives, "weights of the objectives, in the order of the variant; none: its own");
  v("pairing", s.pairing, "how texts of an image are paired");
  v("loader", s.loader, "how samples are read");
  v("train", s.train, "the trainer");
}

template <class V>
void visit_fields(Stage& s, V&& v) {
  v("data", s.data, "training data of this stage; no paths: those of the run");
  visit_fields_but_data(s, v);
}

}  // namespace rc3::experiment

namespace rc3::data {

template <class V>
void visit_fields(PairingOptions& o, V&& v) {
  v("strict_share", o.strict_share, "share of pairs that are translations, for samples with both kinds",
    config::within(0, 1));
  v("temperature", o.temperature, "languages are drawn in proportion to (number of texts)^(1 / temperature)",
    config::at_least(1));
  v("same_language", o.same_language, "pairs may have one language, for images with texts in one language only");
  v("languages", o.languages, "languages of the texts; none given: all");
}

}  // namespace rc3::data

namespace rc3::config {

template <>
struct Names<experiment::FeatureCaching> {
  static constexpr const char* all[] = {"automatic", "on", "off"};
};

}  // namespace rc3::config
