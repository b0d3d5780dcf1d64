#pragma once
/// Entailment, question answering and reasoning: a class for each text about one picture, or two.

#include <rc3/data/predictions.hpp>

#include "sets.hpp"
#include "world.hpp"

namespace tasks {

/// The answers, in the format that IGLUE's scripts read.
inline void write(const std::filesystem::path& path, const Sets& sets, const Remembered& examples,
                  const std::vector<std::int64_t>& answers) {
  std::vector<rc3::data::Prediction> predictions;
  std::vector<rc3::data::Judgement> judgements;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    const auto& example = examples.example(i);
    const auto& answer = sets.classes[static_cast<std::size_t>(answers[static_cast<std::size_t>(i)])];
    predictions.push_back({example.id, answer});
    judgements.push_back({example.text, answer == "true", example.answer == "true"});
  }
  if (sets.task == "reasoning")
    rc3::data::write_judgements(path, judgements);
  else
    rc3::data::write_predictions(path, predictions);
}

/// Tunes on the source language, chooses the checkpoint on its validation examples, and adds the figures of all
/// languages; writes what was answered beside the tables.
inline void classify(const World& world, const std::string& task, std::uint64_t seed, rc3::task::Results& results) {
  using Head = rc3::task::Classifier<Model>;
  const auto& s = world.settings;
  const auto model = world.model();
  rc3::data::Problems problems;
  const Sets sets = sets_of(world, task, seed, problems);
  const rc3::task::Prepare<rc3::io::DefaultDecoders> prepare(world.tokenizer, {.classes = sets.classes});
  const auto remember = [&](const AnyExamples& set, const char* what) {
    return Remembered(*model, set, prepare, problems, ticking(rc3::join(task, ' ', what)));
  };
  const auto training = remember(sets.train, "train");
  const auto validation = remember(sets.validation, "validation");

  const auto head = std::make_shared<Head>(
      model, rc3::task::ClassifierOptions{
                 .classes = std::ssize(sets.classes), .pictures = sets.pictures, .vectors = s.vectors});
  const auto accuracy = [&] {
    double sum = 0;
    const auto figures =
        rc3::task::accuracy_by_language(task, validation, rc3::task::classify(*head, validation), Look::all, {});
    for (const auto& figure : figures) sum += figure.value / static_cast<double>(figures.size());
    return sum;
  };
  const auto tuned = rc3::experiment::tune(head, rc3::task::RememberedBatches(training, s.batch, seed), accuracy,
                                           world.tuning(task, seed), std::cout);
  std::cout << task << ": validation accuracy " << tuned.validation << " after step " << tuned.step << "\n";

  for (const AnyExamples& set : sets.test) {
    const auto test = remember(set, "test");
    const auto base = rc3::task::baselines(training, test, sets.type);
    for (const Look look : world.looks()) {
      const auto answers = rc3::task::classify(*head, test, look);
      for (auto& figure : rc3::task::accuracy_by_language(task, test, answers, look, base))
        results.add(std::move(figure));
      if (look != Look::all) continue;
      write(s.out / rc3::join(task, '-', test.example(0).language, '-', seed, ".json"), sets, test, answers);
    }
  }
  if (problems.count() > 0) std::cout << problems.report();
}

}  // namespace tasks
