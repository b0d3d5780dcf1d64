#pragma once
/// Translation of captions with the help of images.

#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/format/predictions.hpp"
#include "rc3/experiment/tasks/context.hpp"
#include "rc3/experiment/tasks/files.hpp"
#include "rc3/metric/metric.hpp"
#include "rc3/task/task.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::experiment {

/// Longest translation that is written, in words of the Vocabulary.
inline constexpr std::int64_t longest_translation = 48;

/// The words that a decoder may write: pieces of @p given's writable texts. @param given  examples of translation
inline std::shared_ptr<task::Vocabulary> vocabulary_of(const text::Tokenizer& tokenizer, const TaskExamples& given) {
  return std::make_shared<task::Vocabulary>(tokenizer, given.written, given.writable, longest_translation);
}

/// A translation head with a new decoder of two layers. Its words begin with the text encoder's embedding, if it has
/// one.
template <class Model>
std::shared_ptr<task::Translator<Model>> make_translator(const std::shared_ptr<Model>& model,
                                                         const task::Vocabulary& vocabulary) {
  const auto d = model->width();
  const auto decoder = std::make_shared<fusion::Decoder>(fusion::DecoderOptions{.vocabulary = vocabulary.size(),
                                                                                .width = d,
                                                                                .layers = 2,
                                                                                .heads = 6,
                                                                                .feed_forward = 2 * d,
                                                                                .positions = longest_translation + 2});
  if constexpr (requires { model->text_policy()->word_embedding(); })
    task::copy_words(*decoder, vocabulary, model->text_policy()->word_embedding());
  return std::make_shared<task::Translator<Model>>(model, decoder);
}

/// Hypotheses and references by target language, of equal number.
using HypothesesByLanguage = std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>>;

/// The translation of each of @p examples. @param head  a task::Translator
template <class Head>
HypothesesByLanguage hypotheses_of(Head& head, const task::CachedExamples& examples, const task::Vocabulary& vocabulary,
                                   task::Ablation ablation) {
  const auto all = task::translate(head, examples, vocabulary, ablation, {.max_length = longest_translation});
  HypothesesByLanguage pairs;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    auto& [hypotheses, references] = pairs[examples.example(i).answer_language];
    hypotheses.push_back(all[static_cast<std::size_t>(i)]);
    references.push_back(examples.example(i).answer);
  }
  return pairs;
}

/// Tunes a decoder on translation from the source language and selects the checkpoint by chrF on validation examples.
/// Adds BLEU and chrF of each target language, and writes the translations next to the tables.
template <class E>
void translate(const TaskContext<E>& context, std::uint64_t seed, task::Results& results) {
  const auto& s = context.settings;
  const TaskExamples given = open_task(s.task, "translation", seed, context.errors);
  const auto model = context.model();
  const auto vocabulary = vocabulary_of(context.tokenizer, given);
  const auto prepare = context.prepare({.vocabulary = vocabulary});
  const auto cached = [&](const data::AnyExamples& set, const char* what) {
    return context.cache(*model, set, prepare, join("translation ", what));
  };
  const auto training = cached(given.train, "train");
  const auto validation = cached(given.validation, "validation");
  const auto head = make_translator(model, *vocabulary);
  const auto written = [&](const task::CachedExamples& examples, task::Ablation ablation) {
    const auto autocast = context.autocast();
    return hypotheses_of(*head, examples, *vocabulary, ablation);
  };
  const auto chrf = [](const auto& h, const auto& r) { return metric::chrf(h, r).score; };
  const auto measure = [&] {
    double sum = 0;
    const auto pairs = written(validation, task::Ablation::none);
    for (const auto& [language, pair] : pairs) sum += chrf(pair.first, pair.second);
    return sum / static_cast<double>(pairs.size());
  };
  const auto tuned = train::fine_tune(head, task::CachedBatches(training, s.tune.batch, seed), measure,
                                      context.tuning_to_write("translation", seed), std::cout);
  std::cout << "translation: validation chrF " << tuned.metric << " after step " << tuned.step << ", "
            << vocabulary->size() << " words" << std::endl;
  for (const data::AnyExamples& set : given.test) {
    const auto test = cached(set, "test");
    for (const task::Ablation ablation : context.ablations(test))
      for (const auto& [language, pair] : written(test, ablation)) {
        const auto& [hypotheses, references] = pair;
        const auto bleu = [options = metric::bleu_options(language)](const auto& h, const auto& r) {
          return metric::bleu(h, r, options).score;
        };
        const std::string seen(task::name_of(ablation));
        const auto n = std::ssize(references);
        results.add({"translation", "BLEU", seen, language, bleu(hypotheses, references),
                     metric::bootstrap_error(hypotheses, references, bleu), n,
                     metric::score_of_others(references, bleu)});
        results.add({"translation", "chrF", seen, language, chrf(hypotheses, references),
                     metric::bootstrap_error(hypotheses, references, chrf), n,
                     metric::score_of_others(references, chrf)});
        if (ablation != task::Ablation::none) continue;
        std::vector<data::Prediction> predictions;
        for (std::int64_t i = 0; i < test.size(); ++i)
          if (test.example(i).answer_language == language)
            predictions.push_back({test.example(i).id, hypotheses[predictions.size()]});
        data::write_translations(s.out / join("translation-", language, '-', seed, ".txt"), predictions);
      }
  }
}

}  // namespace rc3::experiment
