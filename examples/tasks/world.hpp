#pragma once
/// The data and the pre-trained model that all tasks share.

#include <rc3/data/emoji/emoji.hpp>
#include <rc3/data/emoji/tasks/tasks.hpp>
#include <rc3/experiment/tune.hpp>
#include <rc3/rc3.hpp>
#include <rc3/task/task.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "../pretrain/variant.hpp"
#include "settings.hpp"

namespace tasks {

namespace emoji = rc3::data::emoji;
using pretrain::Model;
using rc3::task::Look;
using rc3::task::Remembered;

/// What heads are tuned on.
inline const std::string source = "en";

struct World {
  Settings settings;
  emoji::Glyphs glyphs;
  emoji::Split split;
  rc3::text::Tokenizer tokenizer;
  std::vector<std::string> languages;  ///< of the tables, English first

  explicit World(const Settings& s)
      : settings(s),
        glyphs(emoji::Glyphs::load(s.cache / "data/emoji")),
        split(emoji::Split::load(s.cache / "data/emoji", glyphs)),
        tokenizer(rc3::text::Tokenizer::from_pretrained(s.cache / "weights/multilingual-e5-small",
                                                        {.prefix = "query: ", .max_length = 64})),
        languages{source} {
    auto others = s.languages;
    if (others.empty()) {
      others = split.languages.strict;
      others.push_back("id");
      others.insert(others.end(), split.languages.unseen.begin(), split.languages.unseen.end());
    }
    for (const auto& language : others)
      if (std::find(languages.begin(), languages.end(), language) == languages.end()) languages.push_back(language);
  }

  /// Encoders frozen, everything else as pre-training left it.
  std::shared_ptr<Model> model() const {
    auto made = pretrain::make_model(settings.cache / "weights");
    if (!settings.init.empty()) rc3::train::load_checkpoint(settings.init, *made, Model::name());
    return made;
  }

  rc3::experiment::TuneOptions tuning(const std::string& label, std::uint64_t seed) const {
    rc3::experiment::TuneOptions o;
    o.train.optimizer.learning_rate = settings.learning_rate;
    o.train.optimizer.weight_decay = 0.05;
    // What aligns pictures with all languages stays: fine-tuning on English alone would undo it.
    o.train.freeze = {"model.picture_hidden.*", "model.picture_head.*", "model.text_head.*"};
    o.train.schedule = {settings.steps / 10, settings.steps, 0.0};
    o.train.seed = seed;
    o.batch = settings.batch;
    o.every = std::max<std::int64_t>(1, settings.steps / 8);
    o.label = label;
    return o;
  }

  /// Whether translations are asked for in it: the strict languages and Indonesian. To write a language it must have
  /// been learned; zero-shot is about languages that are read.
  bool is_written(const std::string& language) const {
    const auto& strict = split.languages.strict;
    return language == "id" || std::find(strict.begin(), strict.end(), language) != strict.end();
  }

  std::vector<Look> looks() const {
    if (!settings.controls) return {Look::all};
    return {rc3::task::looks.begin(), rc3::task::looks.end()};
  }
};

/// Says how far the first look at the examples is.
inline std::function<void(std::int64_t, std::int64_t)> ticking(const std::string& label) {
  auto bar = std::make_shared<std::unique_ptr<rc3::train::Progress>>();
  return [=](std::int64_t done, std::int64_t all) {
    if (!*bar) {
      rc3::train::Progress::Options options;
      options.label = label;
      options.unit = "examples";
      options.every_seconds = 60;
      options.every_share = 2;
      *bar = std::make_unique<rc3::train::Progress>(all, std::cout, rc3::train::stdout_is_terminal(), options);
    }
    (*bar)->update(done);
    if (done == all) (*bar)->finish();
  };
}

}  // namespace tasks
