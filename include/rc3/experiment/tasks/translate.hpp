#pragma once
/// Translation of captions, with the image's help.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rc3/data/format/predictions.hpp"
#include "rc3/experiment/tasks/scores.hpp"
#include "rc3/experiment/tasks/world.hpp"
#include "rc3/metric/metric.hpp"

namespace rc3::experiment {

/// What a decoder may write: the names of training glyphs, and what lists are joined with. Test glyphs are not looked
/// at.
inline std::vector<std::string> writable_texts(const EmojiWorld& world) {
  std::vector<std::string> texts;
  for (const auto& language : world.written) {
    for (const auto glyph : world.seen)
      if (const auto* found = world.glyphs[glyph].find(language)) texts.push_back(found->name);
    const auto& list = world.glyphs.list_pattern(language);
    for (const auto* pattern : {&list.two, &list.start, &list.middle, &list.end}) texts.push_back(*pattern);
  }
  return texts;
}

template <class E>
void translate(const TaskWorld<E>& world, std::uint64_t seed, task::Results& results) {
  using Model = typename TaskWorld<E>::Model;
  const auto& s = world.settings;
  const auto& emoji = *world.emoji;
  constexpr std::int64_t longest = 48;  // words
  const auto model = world.model();
  const auto vocabulary =
      std::make_shared<task::Vocabulary>(world.tokenizer, emoji.written, writable_texts(emoji), longest);
  const auto prepare = world.prepare({.vocabulary = vocabulary});
  const auto remember = [&](const std::vector<std::size_t>& side, std::int64_t scenes, std::uint64_t stream,
                            const char* what) {
    const emoji::TranslationScenes set(emoji.glyphs, side, s.task.source, emoji.written, scenes,
                                       {.seed = stream, .max_objects = 3});
    return world.remember(*model, set, prepare, join("translation ", what));
  };
  const auto training = remember(emoji.seen, s.task.scenes, 100 + seed, "train");
  const auto validation =
      remember(emoji.choosing, std::max<std::int64_t>(1, s.task.test_captions / 3), 200 + seed, "validation");
  const auto test = remember(emoji.split.test, s.task.test_captions, 300 + seed, "test");

  const auto d = model->width();
  const auto decoder = std::make_shared<fusion::Decoder>(fusion::DecoderOptions{.vocabulary = vocabulary->size(),
                                                                                .width = d,
                                                                                .layers = 2,
                                                                                .heads = 6,
                                                                                .feed_forward = 2 * d,
                                                                                .positions = longest + 2});
  if constexpr (requires { model->text_policy()->word_embedding(); })
    task::copy_words(*decoder, *vocabulary, model->text_policy()->word_embedding());
  const auto head = std::make_shared<task::Translator<Model>>(model, decoder);

  /// Hypotheses and references by the language that was written.
  using Pairs = std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>>;
  const auto written = [&](const task::CachedExamples& examples, task::Ablation ablation) {
    const auto autocast = world.autocast();
    const auto all = task::translate(*head, examples, *vocabulary, ablation, {.max_length = longest});
    Pairs pairs;
    for (std::int64_t i = 0; i < examples.size(); ++i) {
      auto& [hypotheses, references] = pairs[examples.example(i).answer_language];
      hypotheses.push_back(all[static_cast<std::size_t>(i)]);
      references.push_back(examples.example(i).answer);
    }
    return pairs;
  };
  const auto chrf = [](const auto& h, const auto& r) { return metric::chrf(h, r).score; };
  const auto measure = [&] {
    double sum = 0;
    for (const auto& [language, pair] : written(validation, task::Ablation::none)) sum += chrf(pair.first, pair.second);
    return sum / static_cast<double>(emoji.written.size());
  };
  const auto tuned = train::fine_tune(head, task::CachedBatches(training, s.tune.batch, seed), measure,
                                      world.tuning_to_write("translation", seed), std::cout);
  std::cout << "translation: validation chrF " << tuned.metric << " after step " << tuned.step << ", "
            << vocabulary->size() << " words" << std::endl;
  for (const task::Ablation ablation : world.ablations())
    for (const auto& [language, pair] : written(test, ablation)) {
      const auto& [hypotheses, references] = pair;
      const auto bleu = [options = bleu_options(language)](const auto& h, const auto& r) {
        return metric::bleu(h, r, options).score;
      };
      const std::string seen(task::name_of(ablation));
      const auto n = std::ssize(references);
      results.add({"translation", "BLEU", seen, language, bleu(hypotheses, references),
                   bootstrap_error(hypotheses, references, bleu), n, score_of_others(references, bleu)});
      results.add({"translation", "chrF", seen, language, chrf(hypotheses, references),
                   bootstrap_error(hypotheses, references, chrf), n, score_of_others(references, chrf)});
      if (ablation != task::Ablation::none) continue;
      std::vector<data::Prediction> predictions;
      for (std::int64_t i = 0; i < test.size(); ++i)
        if (test.example(i).answer_language == language)
          predictions.push_back({test.example(i).id, hypotheses[predictions.size()]});
      data::write_translations(s.out / join("translation-", language, '-', seed, ".txt"), predictions);
    }
}

}  // namespace rc3::experiment
