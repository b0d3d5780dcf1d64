#pragma once
/// Entailment, question answering and reasoning: a class for each text about one picture, or two.

#include "world.hpp"

namespace tasks {

/// What tells these three apart. @tparam Scenes  the set of examples
template <class Scenes>
struct Kind {
  std::string name;
  std::vector<std::string> classes;
  std::int64_t pictures = 1;
  std::function<std::string(const std::string&)> type;  ///< of a question, by its id; empty: all are of one
};

template <class Range>
std::vector<std::string> texts_of(const Range& range) {
  return {range.begin(), range.end()};
}

inline Kind<emoji::EntailmentScenes> entailment() {
  return {"entailment", texts_of(emoji::EntailmentScenes::classes()), 1, {}};
}
inline Kind<emoji::QuestionScenes> questions() {
  return {"questions", texts_of(emoji::QuestionScenes::answers()), 1,
          [](const std::string& id) { return std::string(emoji::QuestionScenes::type({.id = id})); }};
}
inline Kind<emoji::ReasoningScenes> reasoning() {
  return {"reasoning", texts_of(emoji::ReasoningScenes::classes()), 2, {}};
}

/// Tunes on English, chooses the checkpoint on English validation scenes, and adds the figures of all languages.
template <class Scenes>
void classify(const World& world, const Kind<Scenes>& kind, std::uint64_t seed, rc3::task::Results& results) {
  using Head = rc3::task::Classifier<Model>;
  const auto& s = world.settings;
  const auto model = world.model();
  rc3::data::Problems problems;
  const rc3::task::Prepare<> prepare(world.tokenizer, {.classes = kind.classes});
  const auto remember = [&](const std::vector<std::size_t>& side, std::vector<std::string> languages,
                            std::int64_t scenes, std::uint64_t stream, const char* what) {
    const Scenes set(world.glyphs, side, std::move(languages), scenes, {.seed = stream});
    return Remembered(*model, set, prepare, problems, ticking(rc3::join(kind.name, ' ', what)));
  };
  const auto training = remember(world.split.fit(), {source}, s.scenes, 100 + seed, "train");
  const auto validation = remember(world.split.validation, {source}, s.test_scenes, 200 + seed, "validation");

  const auto head = std::make_shared<Head>(
      model, rc3::task::ClassifierOptions{
                 .classes = std::ssize(kind.classes), .pictures = kind.pictures, .vectors = s.vectors});
  const auto accuracy = [&] {
    const auto answers = rc3::task::classify(*head, validation);
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < validation.size(); ++i)
      right += answers[static_cast<std::size_t>(i)] == validation.label(i);
    return 100 * static_cast<double>(right) / static_cast<double>(validation.size());
  };
  const auto tuned = rc3::experiment::tune(head, rc3::task::RememberedBatches(training, s.batch, seed), accuracy,
                                           world.tuning(kind.name, seed), std::cout);
  std::cout << kind.name << ": validation accuracy " << tuned.validation << " after step " << tuned.step << "\n";

  const auto test = remember(world.split.test, world.languages, s.test_scenes, 300 + seed, "test");
  const auto base = rc3::task::baselines(training, test, kind.type);
  for (const Look look : world.looks())
    for (auto& figure :
         rc3::task::accuracy_by_language(kind.name, test, rc3::task::classify(*head, test, look), look, base))
      results.add(std::move(figure));
}

}  // namespace tasks
