#pragma once
/// Where the examples of a classification task come from: emoji scenes, or a user's files in IGLUE's formats.

#include <rc3/data/iglue/iglue.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "world.hpp"

namespace tasks {

/// Examples of any kind.
class AnyExamples {
 public:
  template <rc3::data::ExampleSet Set>
  explicit AnyExamples(Set set) {
    const auto held = std::make_shared<const Set>(std::move(set));
    name_ = std::string(held->name());
    size_ = held->size();
    languages_ = held->languages();
    read_ = [held](std::int64_t i) { return held->read(i); };
  }
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  rc3::data::Example read(std::int64_t i) const { return read_(i); }
  const rc3::data::LanguageCounts& languages() const { return languages_; }

 private:
  std::string name_;
  std::int64_t size_ = 0;
  rc3::data::LanguageCounts languages_;
  std::function<rc3::data::Example(std::int64_t)> read_;
};
static_assert(rc3::data::ExampleSet<AnyExamples>);

/// A task's examples: the source language to learn from and to choose the checkpoint on, any to be tested in.
struct Sets {
  std::string task;
  std::vector<std::string> classes;
  std::int64_t pictures = 1;  ///< of an example
  AnyExamples train, validation;
  std::vector<AnyExamples> test;
  std::function<std::string(const std::string&)> type = {};  ///< of a question, by its id; empty: all are of one
};

/// Scenes: test glyphs are never trained on.
template <class Scenes, class Classes>
Sets emoji_sets(const World& world, std::string task, const Classes& classes, std::int64_t pictures,
                std::uint64_t seed) {
  const auto& s = world.settings;
  const auto scenes = [&](const std::vector<std::size_t>& side, std::vector<std::string> languages, std::int64_t count,
                          std::uint64_t stream) {
    return AnyExamples(Scenes(world.glyphs, side, std::move(languages), count, {.seed = stream}));
  };
  return {std::move(task),
          {classes.begin(), classes.end()},
          pictures,
          scenes(world.split.fit(), {source}, s.scenes, 100 + seed),
          scenes(world.split.validation, {source}, s.test_scenes, 200 + seed),
          {scenes(world.split.test, world.languages, s.test_scenes, 300 + seed)}};
}

/// A user's files: XVNLI, GQA and xGQA, or NLVR2 and MaRVL.
inline Sets file_sets(const Settings& s, const std::string& task, rc3::data::Problems& problems) {
  namespace iglue = rc3::data::iglue;
  const auto find = rc3::data::pictures_in(s.pictures, s.extension);
  const auto whole = rc3::data::pictures_in(s.pictures, "");
  const auto open = [&](const std::filesystem::path& path, const std::string& language, bool test) {
    if (task == "entailment") return AnyExamples(iglue::xvnli(path, language, find, problems));
    if (task == "questions") return AnyExamples(iglue::xgqa(path, language, find, problems));
    return test ? AnyExamples(iglue::marvl(path, whole, problems))
                : AnyExamples(iglue::nlvr2(path, language, find, problems));
  };
  std::vector<std::string> classes;
  if (task == "entailment") classes = {iglue::entailment_classes().begin(), iglue::entailment_classes().end()};
  if (task == "reasoning") classes = {iglue::reasoning_classes().begin(), iglue::reasoning_classes().end()};
  if (task == "questions") {
    rc3::require(!s.answers.empty(),
                 "--answers: give the file of answers, a JSON list (VOLTA's trainval_label2ans.json)");
    classes = iglue::read_gqa_answers(s.answers);
  }
  std::vector<AnyExamples> test;
  for (const auto& named : s.test_files) {
    const auto equals = named.find('=');
    rc3::require(equals != std::string::npos && equals > 0, "--test: give LANGUAGE=FILE, is ", named);
    test.push_back(open(named.substr(equals + 1), named.substr(0, equals), true));
  }
  rc3::require(!s.validation.empty() && !test.empty(), "--train: --validation and --test are needed as well");
  return {task,
          std::move(classes),
          task == "reasoning" ? 2 : 1,
          open(s.train, source, false),
          open(s.validation, source, false),
          std::move(test)};
}

inline Sets sets_of(const World& world, const std::string& task, std::uint64_t seed, rc3::data::Problems& problems) {
  if (!world.settings.train.empty()) return file_sets(world.settings, task, problems);
  if (task == "entailment")
    return emoji_sets<emoji::EntailmentScenes>(world, task, emoji::EntailmentScenes::classes(), 1, seed);
  if (task == "reasoning")
    return emoji_sets<emoji::ReasoningScenes>(world, task, emoji::ReasoningScenes::classes(), 2, seed);
  auto sets = emoji_sets<emoji::QuestionScenes>(world, task, emoji::QuestionScenes::answers(), 1, seed);
  sets.type = [](const std::string& id) { return std::string(emoji::QuestionScenes::type({.id = id})); };
  return sets;
}

}  // namespace tasks
