#pragma once
/// Entailment, question answering and reasoning: a class for each text about one picture, or two.

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/predictions.hpp"
#include "rc3/experiment/tasks/sets.hpp"
#include "rc3/experiment/tasks/world.hpp"

namespace rc3::experiment {

namespace detail {

/// The answers, in the format that IGLUE's scripts read.
inline void write_answers(const std::filesystem::path& path, const Sets& sets, const task::Remembered& examples,
                          const std::vector<std::int64_t>& answers) {
  std::vector<data::Prediction> predictions;
  std::vector<data::Judgement> judgements;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    const auto& example = examples.example(i);
    const auto& answer = sets.classes[static_cast<std::size_t>(answers[static_cast<std::size_t>(i)])];
    predictions.push_back({example.id, answer});
    judgements.push_back({example.text, answer == "true", example.answer == "true"});
  }
  if (sets.task == "reasoning")
    data::write_judgements(path, judgements);
  else
    data::write_predictions(path, predictions);
}

}  // namespace detail

/// Tunes on the source language, chooses the checkpoint on its validation examples, and adds the figures of all
/// languages; writes what was answered beside the tables. With shots, goes on with a few examples of one language after
/// another, each from the source's checkpoint.
template <class E>
void classify(const TaskWorld<E>& world, const std::string& name, std::uint64_t seed, task::Results& results) {
  using Head = task::Classifier<typename TaskWorld<E>::Model>;
  const auto& s = world.settings;
  const auto model = world.model();
  const Sets sets = sets_of(s.task, world.emoji ? &*world.emoji : nullptr, name, seed, world.problems);
  const auto prepare = world.prepare({.classes = sets.classes});
  const auto remember = [&](const AnyExamples& set, const std::string& what) {
    return world.remember(*model, set, prepare, name + ' ' + what);
  };
  const auto training = remember(sets.train, "train");
  const auto validation = remember(sets.validation, "validation");

  const auto head = std::make_shared<Head>(
      model, task::ClassifierOptions{
                 .classes = std::ssize(sets.classes),
                 .pictures = sets.pictures,
                 .vectors = s.tune.vectors,
                 // Meetings do not say of which kind a question is: where there are several, z must be there.
                 .leave_out = sets.type ? 0.0 : task::ClassifierOptions{}.leave_out});
  const auto answered = [&](const task::Remembered& examples, task::Look look) {
    const auto autocast = world.autocast();
    return task::classify(*head, examples, look);
  };
  const auto accuracy = [&] {
    return task::accuracy_by_language(name, validation, answered(validation, task::Look::all), task::Look::all, {})
        .at(0)
        .value;
  };
  const auto tuned =
      tune(head, task::RememberedBatches(training, s.tune.batch, seed), accuracy, world.tuning(name, seed), std::cout);
  std::cout << name << ": validation accuracy " << tuned.validation << " after step " << tuned.step << std::endl;

  const Memory zero_shot = copied(learned_state(*head));
  for (const AnyExamples& set : sets.test) {
    const auto test = remember(set, "test");
    const auto base = task::baselines(training, test, sets.type);
    const auto figures = [&](task::Look look) {
      const auto answers = answered(test, look);
      if (look == task::Look::all)
        detail::write_answers(s.out / join(name, '-', test.example(0).language, '-', seed, ".json"), sets, test,
                              answers);
      return task::accuracy_by_language(name, test, answers, look, base);
    };
    for (const task::Look look : world.looks())
      for (auto& figure : figures(look)) results.add(std::move(figure));
    if (s.tune.shots == 0 || !sets.few) continue;
    for (const auto& [language, count] : set.languages()) {
      if (language == s.task.source) continue;
      train::copy_state(learned_state(*head), zero_shot);
      const auto few = remember(sets.few(language, s.tune.shots), "few " + language);
      auto options = world.tuning(name + ' ' + language, seed);
      options.train.schedule = {0, std::max<std::int64_t>(1, s.tune.steps / 10), 0.0};
      options.train.optimizer.learning_rate /= 3;
      tune(head, task::RememberedBatches(few, std::min(s.tune.batch, few.size()), seed), accuracy, options, std::cout);
      for (auto& figure :
           task::accuracy_by_language(name, test, answered(test, task::Look::all), task::Look::all, base))
        if (figure.language == language) {
          figure.look = join("both + ", s.tune.shots, " shots");
          results.add(std::move(figure));
        }
    }
  }
}

}  // namespace rc3::experiment
