#pragma once
/// Options of training. LibTorch-free, so that any program can read and check a configuration.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rc3/data/loader/loader_state.hpp"
#include "rc3/train/schedule.hpp"

namespace rc3::train {

/// Factor for parameters whose name contains `part`: `rate` times the base learning rate. The first matching rule
/// counts.
struct RateRule {
  std::string part;  ///< any part of a parameter's name
  double rate;       ///< unitless, >= 0
};

/// AdamW (Loshchilov and Hutter 2019), and learning rates by name.
struct AdamWOptions {
  double learning_rate = 1e-3;       ///< above 0
  double beta1 = 0.9;                ///< in [0, 1)
  double beta2 = 0.98;               ///< in [0, 1)
  double epsilon = 1e-8;             ///< above 0
  double weight_decay = 0.01;        ///< >= 0; vectors and scalars (biases, norms, temperatures) are not decayed
  double clip = 1.0;                 ///< maximum norm of the whole gradient, > 0
  std::vector<RateRule> rates = {};  ///< for example {{"text.", 0.1}}: fine-tune the text encoder slowly
  /// For example {{"text.", 0.9}}, for a stack ("layers.N.", "blocks.N.") whose name contains `part`. Each layer has
  /// `rate` times the learning rate of the layer above. Parameters below the stack (embeddings) have `rate` times that
  /// of layer 0. Rates in (0, 1].
  std::vector<RateRule> layer_decay = {};
};

/// Type of the forward passes.
enum class Precision {
  automatic,  ///< bfloat16 if a measured matrix product is faster in it, else float32
  float32,    ///< 24 bits of precision
  bfloat16,   ///< by autocast: 8 bits of precision; weights and the optimizer stay in float32
  int8        ///< inference only: linear layers have weights of 8 bits; float32 without AVX-512 VNNI
};

/// Options of a Trainer.
struct Options {
  AdamWOptions optimizer = {};
  Schedule schedule = {};                      ///< its total is the run's length in optimizer steps
  Precision precision = Precision::automatic;  ///< of forward passes, see Precision
  std::uint64_t seed = 1;                   ///< each step's dropout draws from (seed, step, rank); 0: from the global
                                            ///< generators' state, and a resumed run draws other masks
  std::int64_t accumulate = 1;              ///< batches per optimizer step, > 0
  double ema = 0;                           ///< decay of the moving average of the weights, in [0, 1); 0: no average
  std::vector<std::string> freeze = {};     ///< frozen parameters: names, with * for any characters
  std::int64_t max_consecutive_skips = 10;  ///< steps in a row without a finite gradient that end the run, > 0
};

/// Options of writing and keeping checkpoints.
struct CheckpointOptions {
  std::filesystem::path folder = {};              ///< of the run; empty: no checkpoints
  std::int64_t every = 1000;                      ///< optimizer steps, > 0
  std::int64_t keep = 3;                          ///< number of newest ones, >= 2, in addition to the best one
  bool asynchronous = true;                       ///< a thread writes a copy during training
  data::Changes changes = data::Changes::refuse;  ///< of data, seed and options that a resume cannot take
};

/// Options of a run's logs and report.
struct LogOptions {
  std::int64_t every = 10;  ///< optimizer steps per line of log.jsonl and point of the event file, > 0
  bool tensorboard = true;  ///< write events.out.tfevents.*
  bool report = true;       ///< write report.html and report.json at the end
};

}  // namespace rc3::train
