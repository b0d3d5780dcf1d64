#pragma once
/// Translation of captions from English, with the picture's help.

#include <rc3/metric/metric.hpp>

#include "world.hpp"

namespace tasks {

/// What words are in a language.
inline rc3::metric::BleuOptions bleu_options(const std::string& language) {
  namespace tokenize = rc3::metric::tokenize;
  if (language == "zh") return {.tokenizer = tokenize::Zh()};
  if (language == "ja" || language == "th") return {.tokenizer = tokenize::Characters()};
  return {.tokenizer = tokenize::Intl()};
}

/// The standard error of a corpus score, by drawing as many sentences again and again (Koehn 2004).
template <class Score>
double bootstrap(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
                 const Score& score) {
  constexpr int draws = 50;
  rc3::Random random(7);
  double sum = 0, squares = 0;
  for (int k = 0; k < draws; ++k) {
    std::vector<std::string> h, r;
    for (std::size_t i = 0; i < hypotheses.size(); ++i) {
      const auto j = random.below(hypotheses.size());
      h.push_back(hypotheses[j]);
      r.push_back(references[j]);
    }
    const double value = score(h, r);
    sum += value / draws;
    squares += value * value / draws;
  }
  return std::sqrt(std::max(0.0, squares - sum * sum));
}

inline void translate(const World& world, std::uint64_t seed, rc3::task::Results& results) {
  const auto& s = world.settings;
  std::vector<std::string> targets;
  for (const auto& language : world.languages)
    if (language != source && world.is_written(language)) targets.push_back(language);
  const auto model = world.model();
  rc3::data::Problems problems;
  const auto scenes = [&](const std::vector<std::size_t>& side, std::int64_t count, std::uint64_t stream) {
    return emoji::TranslationScenes(world.glyphs, side, source, targets, count, {.seed = stream, .max_objects = 3});
  };
  // Captions of training glyphs say which words there are; those of test glyphs are never looked at for it.
  const auto fit = world.split.fit();
  std::vector<std::string> texts;
  for (const auto g : fit)
    for (const auto& language : targets) {
      if (const auto* found = world.glyphs[g].find(language)) texts.push_back(found->name);
      const auto& list = world.glyphs.list_pattern(language);
      for (const auto* pattern : {&list.two, &list.start, &list.middle, &list.end}) texts.push_back(*pattern);
    }
  const auto vocabulary = std::make_shared<rc3::task::Vocabulary>(world.tokenizer, targets, texts, 48);
  const rc3::task::Prepare<> prepare(world.tokenizer, {.vocabulary = vocabulary});
  const auto remember = [&](const emoji::TranslationScenes& set, const char* what) {
    return Remembered(*model, set, prepare, problems, ticking(rc3::join("translation ", what)));
  };
  const auto training = remember(scenes(fit, s.scenes, 100 + seed), "train");
  const auto held = scenes(world.split.validation, std::max<std::int64_t>(1, s.test_scenes / 2), 200 + seed);
  const auto validation = remember(held, "validation");
  const auto test_scenes = scenes(world.split.test, s.test_scenes, 300 + seed);
  const auto test = remember(test_scenes, "test");

  const auto d = model->width();
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = vocabulary->size(), .width = d, .layers = 2, .heads = 6, .feed_forward = 2 * d, .positions = 50});
  rc3::task::copy_words(*decoder, *vocabulary, model->text_policy()->word_embedding());
  const auto head = std::make_shared<rc3::task::Translator<Model>>(model, decoder);

  /// Hypotheses and references by target language.
  using Pairs = std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>>;
  const auto written = [&](const Remembered& examples, const emoji::TranslationScenes& set, Look look) {
    const auto all = rc3::task::translate(*head, examples, *vocabulary, look, {.max_length = 48});
    Pairs pairs;
    for (std::int64_t i = 0; i < examples.size(); ++i) {
      const auto example = set.read(i);
      auto& [hypotheses, references] = pairs[example.answer_language];
      hypotheses.push_back(all[static_cast<std::size_t>(i)]);
      references.push_back(example.answer);
    }
    return pairs;
  };
  const auto chrf = [](const auto& h, const auto& r) { return rc3::metric::chrf(h, r).score; };
  const auto measure = [&] {
    double sum = 0;
    for (const auto& [language, pair] : written(validation, held, Look::all)) sum += chrf(pair.first, pair.second);
    return sum / static_cast<double>(targets.size());
  };
  const auto tuned = rc3::experiment::tune(head, rc3::task::RememberedBatches(training, s.batch, seed), measure,
                                           world.tuning("translation", seed), std::cout);
  std::cout << "translation: validation chrF " << tuned.validation << " after step " << tuned.step << "; "
            << vocabulary->size() << " words\n";
  for (const Look look : world.looks())
    for (const auto& [language, pair] : written(test, test_scenes, look)) {
      const auto& [hypotheses, references] = pair;
      const auto bleu = [options = bleu_options(language)](const auto& h, const auto& r) {
        return rc3::metric::bleu(h, r, options).score;
      };
      // What guessing gives: the reference of another caption.
      auto other = references;
      std::rotate(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(other.size() / 2), other.end());
      const auto n = std::ssize(references);
      results.add({"translation", "BLEU", std::string(rc3::task::name_of(look)), language, bleu(hypotheses, references),
                   bootstrap(hypotheses, references, bleu), n, bleu(other, references)});
      results.add({"translation", "chrF", std::string(rc3::task::name_of(look)), language, chrf(hypotheses, references),
                   bootstrap(hypotheses, references, chrf), n, chrf(other, references)});
    }
}

}  // namespace tasks
