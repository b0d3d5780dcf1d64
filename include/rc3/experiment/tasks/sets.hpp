#pragma once
/// Where the examples of a classification task come from: emoji scenes, or a user's files in IGLUE's formats.
/// LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "emoji/emoji.hpp"
#include "emoji/tasks/tasks.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/data/format/iglue/iglue.hpp"
#include "rc3/data/format/volta.hpp"
#include "rc3/data/format/with_regions.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/experiment/tasks/settings.hpp"

namespace rc3::experiment {

/// A task's examples: the source language to learn from and to choose the checkpoint on, any to be tested in.
struct Sets {
  std::string task;
  std::vector<std::string> classes;
  std::int64_t images = 1;  ///< of an example
  data::AnyExamples train, validation;
  std::vector<data::AnyExamples> test;
  std::function<std::string(const std::string&)> type = {};  ///< of a question, by its id; empty: all are of one
  /// So many scenes in a language, of training glyphs; empty: there are no others.
  std::function<data::AnyExamples(const std::string& language, std::int64_t scenes)> few = {};
};

/// The emoji data, and what is asked about them.
///
/// Pre-training has seen the glyphs of Split::fit(), and knows them better than any that it has not seen: a head that
/// is tuned on them learns to trust vectors more than it may at a test. So classification is tuned on glyphs that
/// pre-training has not seen either, three families in four of Split::validation, and chooses on the fourth.
struct EmojiWorld {
  emoji::Glyphs glyphs;
  emoji::Split split;
  std::vector<std::string> languages;  ///< of the tables, the source first
  std::vector<std::string> written;    ///< that translations are made into
  std::vector<std::size_t> unseen;     ///< glyphs to tune on that pre-training has not seen
  std::vector<std::size_t> choosing;   ///< glyphs to choose the checkpoint on, seen by neither
  std::vector<std::size_t> seen;       ///< all others but the test's: to tune what needs many

  explicit EmojiWorld(const TaskData& task)
      : glyphs(emoji::Glyphs::load(task.emoji)),
        split(emoji::Split::load(task.emoji, glyphs)),
        languages{task.source},
        written(task.written) {
    for (const auto glyph : split.validation)
      (data::text_id(glyphs[glyph].family) % 4 == 0 ? choosing : unseen).push_back(glyph);
    seen = split.fit();
    seen.insert(seen.end(), unseen.begin(), unseen.end());
    auto strict = split.languages.strict;
    strict.emplace_back("id");
    if (written.empty()) written = strict;
    std::erase(written, task.source);
    auto others = task.languages;
    if (others.empty()) {
      others = strict;
      others.insert(others.end(), split.languages.unseen.begin(), split.languages.unseen.end());
    }
    for (const auto& language : others)
      if (std::find(languages.begin(), languages.end(), language) == languages.end()) languages.push_back(language);
  }
};

/// Translate-test: replaces a text by its translation into the source language.
/// @throws rc3::Error naming the line without a tab; later, the text that has no translation
inline std::function<void(data::Example&)> translated(const std::filesystem::path& path) {
  if (path.empty()) return {};
  const data::AnnotationFile lines(path);
  const auto known = std::make_shared<std::unordered_map<std::string, std::string>>();
  for (std::int64_t i = 0; i < lines.size(); ++i) {
    if (lines.empty(i)) continue;
    const auto line = lines.read(i);
    const auto tab = line.find('\t');
    require(tab != std::string::npos && tab > 0 && tab + 1 < line.size(), lines.where(i),
            ": a text, a tab and its translation are expected");
    (*known)[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return [known, name = path.string()](data::Example& example) {
    const auto found = known->find(example.text);
    require(found != known->end(), name, ": has no translation of \"", example.text, '"');
    example.text = found->second;
  };
}

/// The whole image and @p parts x @p parts of it as regions, for visual policies that must be told where to look.
inline data::Regions grid_regions(std::int64_t parts) {
  data::Regions regions;
  regions.width = regions.height = 1;
  regions.boxes = {{0, 0, 1, 1}};
  const auto at = [&](std::int64_t i) { return static_cast<float>(i) / static_cast<float>(parts); };
  for (std::int64_t y = 0; y < parts; ++y)
    for (std::int64_t x = 0; x < parts; ++x) regions.boxes.push_back({at(x), at(y), at(x + 1), at(y + 1)});
  return regions;
}

/// Scenes: test glyphs are never trained on.
template <class Scenes, class Classes>
Sets emoji_sets(const TaskData& task, const EmojiWorld& world, std::string name, const Classes& classes,
                std::int64_t images, std::uint64_t seed) {
  const auto scenes = [&world](const std::vector<std::size_t>& side, std::vector<std::string> languages,
                               std::int64_t count, std::uint64_t stream) {
    return Scenes(world.glyphs, side, std::move(languages), count, {.seed = stream});
  };
  return {std::move(name),
          {classes.begin(), classes.end()},
          images,
          data::AnyExamples(scenes(world.unseen, {task.source}, task.scenes, 100 + seed)),
          data::AnyExamples(scenes(world.choosing, {task.source}, task.test_scenes, 200 + seed)),
          {data::AnyExamples(scenes(world.split.test, world.languages, task.test_scenes, 300 + seed),
                             translated(task.translations))},
          {},
          [scenes, &world, seed](const std::string& language, std::int64_t count) {
            return data::AnyExamples(scenes(world.unseen, {language}, count, 400 + seed));
          }};
}

/// A user's files: XVNLI, GQA and xGQA, or NLVR2 and MaRVL.
inline Sets file_sets(const TaskData& task, data::DataErrors& errors) {
  namespace iglue = data::iglue;
  require(task.names.size() == 1 && task.names[0] != "retrieval" && task.names[0] != "translation",
          "task.train: name one task in task.names: entailment, questions or reasoning");
  const std::string& name = task.names[0];
  const auto find = data::images_in(task.images, task.extension);
  require(task.regions.empty() || task.regions.size() == 1 || task.regions.size() == 2 + task.test.size(),
          "task.regions: give one file for all, or one for task.train, task.validation and each of task.test");
  std::size_t opened = 0;
  const auto open = [&](const std::filesystem::path& path, const std::string& language, bool test) {
    const auto change = [translate = test ? translated(task.translations) : nullptr,
                         parts = task.boxes](data::Example& example) {
      if (translate) translate(example);
      for (data::View& view : example.views)
        if (parts > 0 && view.regions.size() == 0) view.regions = grid_regions(parts);
    };
    const auto with_regions = [&](data::Examples examples) {
      if (task.regions.empty()) return data::AnyExamples(std::move(examples), change);
      const auto& file = task.regions[std::min(opened++, task.regions.size() - 1)];
      const data::WithRegions found(std::move(examples), std::make_shared<const data::VoltaRegions>(file, errors));
      return data::AnyExamples(found, change);
    };
    if (name == "entailment") return with_regions(iglue::xvnli(path, language, find, errors));
    if (name == "questions") return with_regions(iglue::xgqa(path, language, find, errors));
    return with_regions(test ? iglue::marvl(path, data::images_in(task.images, ""), errors)
                             : iglue::nlvr2(path, language, find, errors));
  };
  std::vector<std::string> classes;
  if (name == "entailment") classes = {iglue::entailment_classes().begin(), iglue::entailment_classes().end()};
  if (name == "reasoning") classes = {iglue::reasoning_classes().begin(), iglue::reasoning_classes().end()};
  if (name == "questions") {
    require(!task.answers.empty(),
            "task.answers: give the file of answers, a JSON list (VOLTA's trainval_label2ans.json)");
    classes = iglue::read_gqa_answers(task.answers);
  }
  require(!task.validation.empty() && !task.test.empty(),
          "task.train: task.validation and task.test are needed as well");
  auto train = open(task.train, task.source, false);
  auto validation = open(task.validation, task.source, false);
  std::vector<data::AnyExamples> test;
  for (const auto& named : task.test) {
    const auto equals = named.find('=');
    require(equals != std::string::npos && equals > 0, "task.test: give LANGUAGE=FILE, is ", named);
    test.push_back(open(named.substr(equals + 1), named.substr(0, equals), true));
  }
  return {name,           std::move(classes), name == "reasoning" ? 2 : 1, std::move(train), std::move(validation),
          std::move(test)};
}

/// @param world  null where the examples are a user's files
inline Sets sets_of(const TaskData& task, const EmojiWorld* world, const std::string& name, std::uint64_t seed,
                    data::DataErrors& errors) {
  if (world == nullptr) return file_sets(task, errors);
  if (name == "entailment")
    return emoji_sets<emoji::EntailmentScenes>(task, *world, name, emoji::EntailmentScenes::classes(), 1, seed);
  if (name == "reasoning")
    return emoji_sets<emoji::ReasoningScenes>(task, *world, name, emoji::ReasoningScenes::classes(), 2, seed);
  auto sets = emoji_sets<emoji::QuestionScenes>(task, *world, name, emoji::QuestionScenes::answers(), 1, seed);
  sets.type = [](const std::string& id) { return std::string(emoji::QuestionScenes::type({.id = id})); };
  return sets;
}

}  // namespace rc3::experiment
