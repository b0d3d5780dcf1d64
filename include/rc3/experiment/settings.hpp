#pragma once
/// Everything that a training program can be told. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>

#include "rc3/data/loader/loader.hpp"
#include "rc3/data/open.hpp"
#include "rc3/train/config.hpp"

namespace rc3::experiment {

/// What retrieval is evaluated on at the end of a run.
struct Validation : data::OpenOptions {
  Validation() { default_split = "val"; }
  std::int64_t max_images = 1000;  ///< images
};

template <class V>
void visit_fields(Validation& o, V&& v) {
  visit_fields(static_cast<data::OpenOptions&>(o), v);
  v("max_images", o.max_images, "images that are searched among at most", train::above(0));
}

/// How the loader works.
struct Loading {
  std::int64_t batch = 64;     ///< samples of a batch, over all ranks
  std::int64_t tokens = 0;     ///< budget of a batch, see data::BatchOptions; 0: none
  std::int64_t window = 4096;  ///< of shuffling
  std::int64_t workers = 2;    ///< threads
  std::int64_t prefetch = 4;   ///< batches made ahead at most
  std::uint64_t seed = 1;      ///< of order, pairs and augmentation
  double errors = 0.01;        ///< share of the samples that may be damaged
};

template <class V>
void visit_fields(Loading& o, V&& v) {
  v("batch", o.batch, "samples of a batch, over all ranks", train::above(0));
  v("tokens", o.tokens, "samples times longest text of a batch at most; 0: no such budget", train::at_least(0));
  v("window", o.window, "samples that are shuffled together", train::above(0));
  v("workers", o.workers, "threads that read prefetch", train::at_least(0));
  v("prefetch", o.prefetch, "batches made ahead at most", train::above(0));
  v("seed", o.seed, "of order, pairs and augmentation");
  v("errors", o.errors, "share of the samples that may be damaged", train::within(0, 1));
}

/// @tparam Variant  the experiment's own configuration
template <class Variant>
struct Settings {
  data::OpenOptions data = {};
  Validation validation = {};
  Loading loader = {};
  Variant variant = {};
  train::Options train = {};
  train::CheckpointOptions checkpoint = {};
  train::LogOptions log = {};
  std::filesystem::path init = {};
  std::int64_t threads = 0;
  std::string device = "auto";
  std::string backend = "auto";
};

template <class Variant, class V>
void visit_fields(Settings<Variant>& s, V&& v) {
  v("data", s.data, "what is read");
  v("validation", s.validation, "held-out data for recall by language at the end; no paths: none");
  v("loader", s.loader, "how it is read");
  v("variant", s.variant, "the model and its objectives");
  v("train", s.train, "the trainer");
  v("checkpoint", s.checkpoint, "checkpoints");
  v("log", s.log, "log");
  v("init", s.init, "model.safetensors of an earlier run of this variant to begin with");
  v("threads", s.threads, "compute threads; 0: as LibTorch has it", train::at_least(0));
  v("device", s.device, "cpu, cuda, cuda:N, or auto: this rank's GPU where there is one");
  v("backend", s.backend, "what joins the ranks' GPUs: nccl, gloo, or auto: NCCL where the program has it");
}

}  // namespace rc3::experiment
