#pragma once
/// Retrieval: scenes and their captions, both ways.

#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "rc3/experiment/tasks/world.hpp"

namespace rc3::experiment {

/// The captions of scenes as examples, languages alternating fastest.
class SceneCaptions {
 public:
  SceneCaptions(const EmojiWorld& world, const std::vector<std::size_t>& side, std::vector<std::string> languages,
                std::int64_t scenes, std::uint64_t seed)
      : languages_(std::move(languages)),
        scenes_(emoji::retrieval_scenes(world.glyphs, side, two_at_least(world, languages_), scenes, {.seed = seed})) {
    for (const auto& language : languages_) counts_[language] = scenes;
  }

  std::string_view name() const { return "emoji retrieval"; }
  std::int64_t size() const { return scenes_.size() * std::ssize(languages_); }
  const data::LanguageCounts& languages() const { return counts_; }
  data::Example read(std::int64_t i) const {
    const auto& language = languages_[static_cast<std::size_t>(i % std::ssize(languages_))];
    auto sample = scenes_.read(i / std::ssize(languages_));
    for (const auto& text : sample.texts)
      if (text.language == language)
        return {.id = join(sample.id, '-', language),
                .views = {{std::move(sample.image), std::move(sample.regions)}},
                .language = language,
                .text = text.text};
    fail(sample.id, ": has no caption in ", language);
  }

 private:
  /// Scenes hold strict pairs, so they take two languages; examples of one may be all that is wanted.
  static std::vector<std::string> two_at_least(const EmojiWorld& world, std::vector<std::string> languages) {
    for (const auto& other : world.split.languages.strict)
      if (languages.size() == 1 && other != languages[0]) languages.push_back(other);
    return languages;
  }

  std::vector<std::string> languages_;
  emoji::Scenes scenes_;
  data::LanguageCounts counts_;
};
static_assert(data::ExampleSet<SceneCaptions>);

/// Recall@1 and @5 in percent, text to image and image to text, among the examples of one language.
/// @param top  found ones that ITM orders anew, in the precision of tuning; 0: none. Vectors are compared in float32.
template <class E>
void add_recall(const TaskWorld<E>& world, typename TaskWorld<E>::Model& model, const task::CachedExamples& test,
                const task::Encoded& images, const std::string& language, task::Ablation ablation, std::int64_t top,
                task::Results& results) {
  std::vector<std::int64_t> which, own;
  for (std::int64_t i = 0; i < test.size(); ++i)
    if (test.example(i).language == language) {
      which.push_back(i);
      own.push_back(test.image_of(i));
    }
  require(std::ssize(own) == test.images(), "experiment::add_recall: ", own.size(), " captions in ", language, " of ",
          test.images(), " images; two drawn alike?");
  const auto texts = task::encode_texts(model, test, which);
  auto to_image = task::compare(texts, images);
  auto to_text = to_image.t().contiguous();
  if (top > 0) {
    const auto autocast = world.autocast();
    to_image = task::rerank(model, to_image, texts, images, true, top);
    to_text = task::rerank(model, to_text, images, texts, false, top);
  }
  // Row p of the transpose asks for the caption of image p.
  const auto targets = at::tensor(own, at::kLong);
  const auto inverse = at::empty_like(targets).scatter_(0, targets, at::arange(targets.size(0)));
  const auto n = std::ssize(which);
  const auto chance = task::chance(n);
  for (const auto& [name, ranks] : {std::pair("text to image", task::ranks(to_image, targets)),
                                    std::pair("image to text", task::ranks(to_text, inverse))}) {
    const auto found = task::recall(ranks);
    for (const auto& [at, share, guess] :
         {std::tuple("recall@1", found.at1, chance.at1), std::tuple("recall@5", found.at5, chance.at5)})
      results.add({name, at, std::string(task::name_of(ablation)), language, 100 * share,
                   task::binomial_error(100 * share, n), n, 100 * guess});
  }
}

template <class E>
void retrieve(const TaskWorld<E>& world, std::uint64_t seed, task::Results& results) {
  using Model = typename TaskWorld<E>::Model;
  const auto& s = world.settings;
  const auto& emoji = *world.emoji;
  const auto model = world.model();
  const auto prepare = world.prepare({});
  const auto remember = [&](const std::vector<std::size_t>& side, std::vector<std::string> languages,
                            std::int64_t scenes, std::uint64_t stream, const char* what) {
    return world.remember(*model, SceneCaptions(emoji, side, std::move(languages), scenes, stream), prepare,
                          join("retrieval ", what));
  };
  const auto training = remember(emoji.seen, {s.task.source}, s.task.scenes, 100 + seed, "train");
  const auto validation = remember(emoji.choosing, {s.task.source}, s.task.test_captions, 200 + seed, "validation");
  const auto head = std::make_shared<task::Matcher<Model>>(model);
  const auto measure = [&] {
    task::Results one(s.task.source);
    add_recall(world, *model, validation, task::encode_images(*model, validation), s.task.source, task::Ablation::none,
               0, one);
    return (one.find("text to image", "recall@1", "both", s.task.source)->value +
            one.find("image to text", "recall@1", "both", s.task.source)->value) /
           2;
  };
  const auto tuned = train::fine_tune(head, task::CachedBatches(training, s.tune.batch, seed), measure,
                                      world.tuning("retrieval", seed, true), std::cout);
  std::cout << "retrieval: validation recall@1 " << tuned.metric << " after step " << tuned.step << std::endl;
  const auto test = remember(emoji.split.test, emoji.languages, s.task.test_captions, 300 + seed, "test");
  for (const task::Ablation ablation : world.ablations()) {
    const auto images = task::encode_images(*model, test, ablation);
    for (const auto& language : emoji.languages)
      add_recall(world, *model, test, images, language, ablation, s.tune.rerank, results);
  }
}

}  // namespace rc3::experiment
