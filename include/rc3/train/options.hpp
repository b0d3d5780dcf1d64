#pragma once
/// Everything that decides how a run trains. LibTorch-free, so that a configuration can be read and checked anywhere.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rc3/train/schedule.hpp"

namespace rc3::train {

/// Parameters whose name contains `part` learn at `rate` times the base learning rate; the first rule that fits counts.
struct RateRule {
  std::string part;
  double rate;  ///< unitless, >= 0
};

struct AdamWOptions {
  double learning_rate = 1e-3;       ///< > 0
  double beta1 = 0.9;                ///< in [0, 1)
  double beta2 = 0.98;               ///< in [0, 1)
  double epsilon = 1e-8;             ///< > 0
  double weight_decay = 0.01;        ///< >= 0; vectors and scalars (biases, norms, temperatures) are not decayed
  double clip = 1.0;                 ///< largest norm of the whole gradient, > 0
  std::vector<RateRule> rates = {};  ///< for example {{"text.", 0.1}}: fine-tune the text encoder slowly
  /// For example {{"text.", 0.9}}: in a stack ("layers.N.", "blocks.N.") whose name contains `part`, each layer learns
  /// at `rate` times the rate of the one above it, and what lies below the stack (embeddings) at `rate` times that of
  /// layer 0. Rates in (0, 1].
  std::vector<RateRule> layer_decay = {};
};

enum class Precision {
  automatic,  ///< bfloat16 where a measured matrix product is faster in it, else float32
  float32,
  bfloat16
};

/// How a Trainer turns batches into steps.
struct Options {
  AdamWOptions optimizer = {};
  Schedule schedule = {};  ///< its total is the run's length in optimizer steps
  Precision precision = Precision::automatic;
  std::uint64_t seed = 1;                   ///< each step's dropout draws from (seed, step, rank); 0: from what the
                                            ///< global generators hold, and a resumed run draws other masks
  std::int64_t accumulate = 1;              ///< batches an optimizer step, > 0
  double ema = 0;                           ///< decay of the moving average of the weights, in [0, 1); 0: none is kept
  std::vector<std::string> freeze = {};     ///< parameters that do not learn: names, with * for any characters
  std::int64_t max_consecutive_skips = 10;  ///< so many steps in a row without a finite gradient end the run, > 0
};

/// Which checkpoints are written, and which stay.
struct CheckpointOptions {
  std::filesystem::path folder = {};  ///< of the run; empty: nothing is written
  std::int64_t every = 1000;          ///< optimizer steps, > 0
  std::int64_t keep = 3;              ///< of the newest ones, >= 2; the best one stays besides
  bool asynchronous = true;           ///< a thread writes a copy while training goes on
};

/// What is written of a run while it goes on.
struct LogOptions {
  std::int64_t every = 10;  ///< optimizer steps a line of log.jsonl and a point of the event file, > 0
  bool tensorboard = true;  ///< write events.out.tfevents.*
  bool report = true;       ///< write report.html and report.json at the end
};

}  // namespace rc3::train
