#pragma once
/// Entailment, question answering and reasoning: a class for each text about one or two images.

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/format/predictions.hpp"
#include "rc3/experiment/tasks/context.hpp"
#include "rc3/experiment/tasks/files.hpp"

namespace rc3::experiment {

namespace detail {

/// Writes the predictions, in the format of IGLUE's scripts.
inline void write_answers(const std::filesystem::path& path, const TaskExamples& given,
                          const task::CachedExamples& examples, const std::vector<std::int64_t>& answers) {
  std::vector<data::Prediction> predictions;
  std::vector<data::Judgement> judgements;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    const auto& example = examples.example(i);
    const auto& answer = given.classes[static_cast<std::size_t>(answers[static_cast<std::size_t>(i)])];
    predictions.push_back({example.id, answer});
    judgements.push_back({example.text, answer == "true", example.answer == "true"});
  }
  if (given.task == "reasoning")
    data::write_judgements(path, judgements);
  else
    data::write_predictions(path, predictions);
}

}  // namespace detail

/// Tunes on the source language, selects the checkpoint on its validation examples, and adds the scores of all
/// languages. Writes the predictions next to the tables. With shots, continues with a few examples of each language in
/// turn, always from the source's checkpoint.
/// @throws rc3::Error for few-shot examples that the task does not have
template <class E>
void classify(const TaskContext<E>& context, const std::string& name, std::uint64_t seed, task::Results& results) {
  using Head = task::Classifier<typename TaskContext<E>::Model>;
  const auto& s = context.settings;
  const TaskExamples given = open_task(s.task, name, seed, context.errors);
  require(s.tune.shots == 0 || given.few, "tune.shots: ", name,
          " from files has no examples to go on with; leave it out");
  const auto model = context.model();
  const auto prepare = context.prepare({.classes = given.classes});
  const auto cached = [&](const data::AnyExamples& set, const std::string& what) {
    return context.cache(*model, set, prepare, name + ' ' + what);
  };
  const auto training = cached(given.train, "train");
  const auto validation = cached(given.validation, "validation");

  const auto head = std::make_shared<Head>(
      model,
      task::ClassifierOptions{
          .classes = std::ssize(given.classes),
          .images = given.images,
          .embeddings = s.tune.embeddings,
          // LateInteraction does not distinguish the types of questions: with several types, z must not be left out.
          .leave_out = given.type ? 0.0 : task::ClassifierOptions{}.leave_out});
  const auto answered = [&](const task::CachedExamples& examples, task::Ablation ablation) {
    const auto autocast = context.autocast();
    return task::classify(*head, examples, ablation);
  };
  const auto accuracy = [&] {
    return task::accuracy_by_language(name, validation, answered(validation, task::Ablation::none),
                                      task::Ablation::none, {})
        .at(0)
        .value;
  };
  const auto tuned = train::fine_tune(head, task::CachedBatches(training, s.tune.batch, seed), accuracy,
                                      context.tuning(name, seed), std::cout);
  std::cout << name << ": validation accuracy " << tuned.metric << " after step " << tuned.step << std::endl;

  const StateDict zero_shot = train::copy_of(train::learned_state(*head));
  for (const data::AnyExamples& set : given.test) {
    const auto test = cached(set, "test");
    const auto base = task::baselines(training, test, given.type);
    const auto scores = [&](task::Ablation ablation) {
      const auto answers = answered(test, ablation);
      if (ablation == task::Ablation::none)
        detail::write_answers(s.out / join(name, '-', test.example(0).language, '-', seed, ".json"), given, test,
                              answers);
      return task::accuracy_by_language(name, test, answers, ablation, base);
    };
    for (const task::Ablation ablation : context.ablations(test))
      for (auto& score : scores(ablation)) results.add(std::move(score));
    if (s.tune.shots == 0 || !given.few) continue;
    for (const auto& [language, count] : set.languages()) {
      if (language == s.task.source) continue;
      train::copy_state(train::learned_state(*head), zero_shot);
      const auto few = cached(given.few(language, s.tune.shots), "few " + language);
      auto options = context.tuning(name + ' ' + language, seed);
      options.train.schedule = {0, std::max<std::int64_t>(1, s.tune.steps / 10), 0.0};
      options.train.optimizer.learning_rate /= 3;
      train::fine_tune(head, task::CachedBatches(few, std::min(s.tune.batch, few.size()), seed), accuracy, options,
                       std::cout);
      for (auto& score :
           task::accuracy_by_language(name, test, answered(test, task::Ablation::none), task::Ablation::none, base))
        if (score.language == language) {
          score.ablation = join("both + ", s.tune.shots, " shots");
          results.add(std::move(score));
        }
    }
  }
}

}  // namespace rc3::experiment
