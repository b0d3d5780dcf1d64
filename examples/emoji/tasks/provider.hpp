#pragma once
/// Tasks on emoji scenes: a program of tasks that includes this header makes their examples with `task.provider` emoji
/// and `task.provided`, the folder that ./run prepares (CACHE/data/emoji).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emoji/glyphs.hpp"
#include "emoji/names.hpp"
#include "emoji/owned.hpp"
#include "emoji/split.hpp"
#include "emoji/tasks/tasks.hpp"
#include "rc3/data/any_dataset.hpp"
#include "rc3/data/any_examples.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/caption_examples.hpp"
#include "rc3/data/text/text_id.hpp"
#include "rc3/experiment/tasks/change_examples.hpp"
#include "rc3/experiment/tasks/task_examples.hpp"

namespace emoji {

/// The glyphs that tasks are made of.
///
/// Pre-training has seen the glyphs of Split::fit(), and knows them better than any others: a head that is tuned on
/// them learns to trust embeddings more than it may at a test. So classification is tuned on glyphs that pre-training
/// has not seen either, three families in four of Split::validation, and the checkpoint is chosen on the fourth.
struct TaskGlyphs {
  Glyphs glyphs;
  Split split;
  std::vector<std::string> languages;  ///< of the tables, the source first
  std::vector<std::string> written;    ///< that translations are made into
  std::vector<std::size_t> unseen;     ///< to tune on, not seen by pre-training
  std::vector<std::size_t> choosing;   ///< to choose the checkpoint on, seen by neither
  std::vector<std::size_t> seen;       ///< all others but the test's: for what needs many

  explicit TaskGlyphs(const rc3::experiment::TaskData& task)
      : glyphs(Glyphs::load(task.provided)),
        split(Split::load(task.provided, glyphs)),
        languages{task.source},
        written(task.written) {
    for (const auto glyph : split.validation)
      (rc3::data::text_id(glyphs[glyph].family) % 4 == 0 ? choosing : unseen).push_back(glyph);
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

namespace detail {

using rc3::data::AnyExamples;
using rc3::experiment::TaskData;
using rc3::experiment::TaskExamples;
using SharedGlyphs = std::shared_ptr<const TaskGlyphs>;

/// How many scenes: @p asked, or @p otherwise where it is 0.
inline std::int64_t count_of(std::int64_t asked, std::int64_t otherwise) { return asked == 0 ? otherwise : asked; }
inline std::int64_t train_scenes(const TaskData& task) { return count_of(task.scenes, 900); }
inline std::int64_t test_scenes(const TaskData& task) { return count_of(task.test_scenes, 200); }
inline std::int64_t test_captions(const TaskData& task) { return count_of(task.test_captions, 60); }

/// Classification: test glyphs are never trained on.
template <class Set, class Classes>
TaskExamples classification(const TaskData& task, const SharedGlyphs& from, std::string name, const Classes& classes,
                            std::int64_t images, std::uint64_t seed) {
  const auto scenes = [from](const std::vector<std::size_t>& side, std::vector<std::string> languages,
                             std::int64_t count, std::uint64_t stream) {
    return Owned(from, Set(from->glyphs, side, std::move(languages), count, {.seed = stream}));
  };
  return {.task = std::move(name),
          .train = AnyExamples(scenes(from->unseen, {task.source}, train_scenes(task), 100 + seed)),
          .validation = AnyExamples(scenes(from->choosing, {task.source}, test_scenes(task), 200 + seed)),
          .test = {AnyExamples(scenes(from->split.test, from->languages, test_scenes(task), 300 + seed),
                               rc3::experiment::translated(task.translations))},
          .classes = {classes.begin(), classes.end()},
          .images = images,
          .few = [scenes, from, seed](const std::string& language, std::int64_t count) {
            return AnyExamples(scenes(from->unseen, {language}, count, 400 + seed));
          }};
}

/// Scenes and their strict captions.
inline TaskExamples retrieval(const TaskData& task, const SharedGlyphs& from, std::uint64_t seed) {
  const auto captions = [&](const std::vector<std::size_t>& side, const std::vector<std::string>& languages,
                            std::int64_t count, std::uint64_t stream) {
    // Scenes hold strict pairs, so they take two languages; captions of one may be all that is wanted.
    auto drawn = languages;
    for (const auto& other : from->split.languages.strict)
      if (drawn.size() == 1 && other != drawn[0]) drawn.push_back(other);
    rc3::data::DataErrors errors;
    return rc3::data::CaptionExamples(
        Owned(from, retrieval_scenes(from->glyphs, side, std::move(drawn), count, {.seed = stream})), languages,
        errors);
  };
  return {.task = "retrieval",
          .train = AnyExamples(captions(from->seen, {task.source}, train_scenes(task), 100 + seed)),
          .validation = AnyExamples(captions(from->choosing, {task.source}, test_captions(task), 200 + seed)),
          .test = {AnyExamples(captions(from->split.test, from->languages, test_captions(task), 300 + seed),
                               rc3::experiment::translated(task.translations))}};
}

inline TaskExamples translation(const TaskData& task, const SharedGlyphs& from, std::uint64_t seed) {
  const auto scenes = [&](const std::vector<std::size_t>& side, std::int64_t count, std::uint64_t stream) {
    return AnyExamples(Owned(from, TranslationScenes(from->glyphs, side, task.source, from->written, count,
                                                     {.seed = stream, .max_objects = 3})));
  };
  // A decoder may write the names of training glyphs, and what lists are joined with; test glyphs are not read.
  std::vector<std::string> writable;
  for (const auto& language : from->written) {
    for (const auto glyph : from->seen)
      if (const auto* found = from->glyphs[glyph].find(language)) writable.push_back(found->name);
    const auto& list = from->glyphs.list_pattern(language);
    writable.insert(writable.end(), {list.two, list.start, list.middle, list.end});
  }
  const auto captions = test_captions(task);
  return {.task = "translation",
          .train = scenes(from->seen, train_scenes(task), 100 + seed),
          .validation = scenes(from->choosing, std::max<std::int64_t>(1, captions / 3), 200 + seed),
          .test = {scenes(from->split.test, captions, 300 + seed)},
          .written = from->written,
          .writable = std::move(writable)};
}

}  // namespace detail

/// The examples of a task for one seed.
/// @throws rc3::Error for a folder without the data, or a language that they do not have
inline rc3::experiment::TaskExamples open_task(const rc3::experiment::TaskData& task, const std::string& name,
                                               std::uint64_t seed) {
  require(!task.provided.empty(),
          "task.provided: give the folder of the emoji data (./run makes it: CACHE/data/emoji)");
  const auto from = std::make_shared<const TaskGlyphs>(task);
  if (name == "retrieval") return detail::retrieval(task, from, seed);
  if (name == "translation") {
    require(task.translations.empty(), "task.translations: has no effect on translation; leave it out");
    return detail::translation(task, from, seed);
  }
  if (name == "entailment")
    return detail::classification<EntailmentScenes>(task, from, name, EntailmentScenes::classes(), 1, seed);
  if (name == "reasoning")
    return detail::classification<ReasoningScenes>(task, from, name, ReasoningScenes::classes(), 2, seed);
  auto questions = detail::classification<QuestionScenes>(task, from, name, QuestionScenes::answers(), 1, seed);
  questions.type = [](const std::string& id) { return std::string(QuestionScenes::type({.id = id})); };
  return questions;
}

/// True once the provider is registered: before main() begins.
inline const bool provider_registered = (rc3::experiment::register_task_provider({"emoji", open_task}), true);

}  // namespace emoji
