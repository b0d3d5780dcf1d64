#pragma once
/// What can be set from the command line.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

namespace pretrain {

/// Defaults are the demo's.
struct Settings {
  std::filesystem::path cache;
  std::filesystem::path out = "demo";
  std::uint64_t seed = 1;
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool validate = false;        ///< train without the validation glyphs, and show those instead of the test glyphs
  std::size_t glyphs = 100000;  ///< of each side at most: for a quick look whether all works
  int views = 1;                ///< of each glyph, the canonical one among them; above 1 regions are aligned too
  int align_steps = 400;
  int align_batch = 256;
  int tune_steps = 0;
  int tune_batch = 96;
  int fuse_steps = 30;
  int fuse_batch = 32;
  double learning_rate = 1e-3;
  double tune_rate = 1.0;      ///< of the tuned layers, against `tune_base`
  int tune_blocks = 11;        ///< blocks of EfficientNet-Lite0 that stay frozen while tuning; three networks always do
  int tune_layers = 3;         ///< last layers of the text encoder that learn while tuning
  int rerank = 0;              ///< best images of each query that ITM orders anew; 0: none
  double rerank_weight = 0.3;  ///< of the match probability, against a cosine
  bool more_languages = false;

  void add_to(CLI::App& app) {
    app.add_option("--cache", cache, "folder with the weights and data that ./run prepares (default: RC3_CACHE)");
    app.add_option("--out", out, "folder for what the run makes")->capture_default_str();
    app.add_option("--seed", seed, "of all that is random")->capture_default_str();
    app.add_option("--threads", threads, "compute threads")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_flag("--validate", validate, "hold out and show the validation glyphs: for choosing a recipe");
    app.add_option("--glyphs", glyphs, "of each side at most: for a quick look whether all works")
        ->check(CLI::Range(16, 100000));
    app.add_option("--views", views, "images of each glyph")->check(CLI::Range(1, 16))->capture_default_str();
    app.add_option("--align-steps", align_steps, "steps that align images and texts")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_option("--align-batch", align_batch, "images a step")->check(CLI::Range(2, 4096))->capture_default_str();
    app.add_option("--tune-steps", tune_steps, "steps that fine-tune the encoders")
        ->check(CLI::Range(0, 100000))
        ->capture_default_str();
    app.add_option("--tune-batch", tune_batch, "images a step")->check(CLI::Range(2, 4096))->capture_default_str();
    app.add_option("--fuse-steps", fuse_steps, "steps that train the fusion encoder on scenes")
        ->check(CLI::Range(0, 100000))
        ->capture_default_str();
    app.add_option("--fuse-batch", fuse_batch, "images a step")->check(CLI::Range(2, 4096))->capture_default_str();
    app.add_option("--tune-blocks", tune_blocks, "blocks of EfficientNet-Lite0 that stay frozen then: 0 to 11, or 16")
        ->check(CLI::Range(0, 16))
        ->capture_default_str();
    app.add_option("--tune-layers", tune_layers, "last layers of the text encoder that learn then")
        ->check(CLI::Range(0, 12))
        ->capture_default_str();
    app.add_flag("--more-languages,!--no-more-languages", more_languages, "tune on names in 48 languages more");
    app.add_option("--rerank", rerank, "best images of each query that ITM orders anew")
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    app.add_option("--rerank-weight", rerank_weight, "of the match probability, against a cosine")
        ->capture_default_str();
    app.add_option("--learning-rate", learning_rate, "of the aligning steps")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--tune-rate", tune_rate, "factor on the encoders' learning rate")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }

  /// With the cache folder filled in.
  Settings resolved() const {
    Settings s = *this;
    if (s.cache.empty()) {
      if (const char* given = std::getenv("RC3_CACHE")) {
        s.cache = given;
      } else {
        const char* xdg = std::getenv("XDG_CACHE_HOME");
        const char* home = std::getenv("HOME");
        s.cache = xdg != nullptr ? std::filesystem::path(xdg) / "rc3"
                                 : std::filesystem::path(home != nullptr ? home : ".") / ".cache/rc3";
      }
    }
    return s;
  }
};

}  // namespace pretrain
