#pragma once
/// What can be set from the command line.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace tasks {

struct Settings {
  std::filesystem::path cache;
  std::filesystem::path init;  ///< the pre-trained model
  std::filesystem::path out = "tasks";
  std::vector<std::string> which = {"entailment", "questions", "reasoning", "retrieval", "translation"};
  std::vector<std::string> languages;  ///< beside English; empty: the split's strict ones, Indonesian, and the unseen
  int seeds = 1;
  int first_seed = 1;
  int threads = 2;
  std::int64_t scenes = 800;       ///< to learn from
  std::int64_t test_scenes = 100;  ///< of glyphs that were never trained on
  std::int64_t steps = 400;
  std::int64_t batch = 64;
  std::int64_t rerank = 10;
  double learning_rate = 3e-4;
  bool controls = true;
  bool vectors = true;

  void add_to(CLI::App& app) {
    app.add_option("--cache", cache, "folder with the weights and data that ./run prepares (default: RC3_CACHE)");
    app.add_option("--init", init, "model.safetensors that pretrain wrote; left out: an untrained model");
    app.add_option("--out", out, "folder for the tables")->capture_default_str();
    app.add_option("--tasks", which, "which of the five")
        ->delimiter(',')
        ->check(CLI::IsMember({"entailment", "questions", "reasoning", "retrieval", "translation"}));
    app.add_option("--languages", languages, "beside English")->delimiter(',');
    app.add_option("--seeds", seeds, "fine-tunings of each task")->check(CLI::Range(1, 100))->capture_default_str();
    app.add_option("--first-seed", first_seed, "the others follow it")->capture_default_str();
    app.add_option("--threads", threads, "compute threads")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--scenes", scenes, "to learn from")->check(CLI::Range(8, 1000000))->capture_default_str();
    app.add_option("--test-scenes", test_scenes, "of glyphs that were never trained on")
        ->check(CLI::Range(4, 1000000))
        ->capture_default_str();
    app.add_option("--steps", steps, "of fine-tuning")->check(CLI::Range(1, 1000000))->capture_default_str();
    app.add_option("--batch", batch, "examples a step")->check(CLI::Range(2, 4096))->capture_default_str();
    app.add_option("--rerank", rerank, "found pictures or texts that ITM orders anew; 0: none")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    app.add_option("--learning-rate", learning_rate)->check(CLI::PositiveNumber)->capture_default_str();
    app.add_flag("!--no-controls", controls, "evaluate with everything only: no single modality, no wrong pictures");
    app.add_flag("!--no-vectors", vectors, "heads look at z only");
  }

  Settings resolved() const {
    Settings s = *this;
    if (s.cache.empty()) {
      const char* given = std::getenv("RC3_CACHE");
      const char* home = std::getenv("HOME");
      s.cache = given != nullptr ? std::filesystem::path(given)
                                 : std::filesystem::path(home != nullptr ? home : ".") / ".cache/rc3";
    }
    return s;
  }
};

}  // namespace tasks
