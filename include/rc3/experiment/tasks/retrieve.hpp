#pragma once
/// Retrieval of images by captions, and of captions by images.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/data/concept.hpp"
#include "rc3/experiment/tasks/context.hpp"
#include "rc3/experiment/tasks/files.hpp"
#include "rc3/io/file.hpp"
#include "rc3/task/caption_search.hpp"

namespace rc3::experiment {

namespace detail {

/// All test sets as one, so that an image with captions in several languages is encoded once.
class AllTests {
 public:
  explicit AllTests(const std::vector<data::AnyExamples>& tests) : tests_(tests) {
    for (const auto& test : tests_) {
      size_ += test.size();
      for (const auto& [language, count] : test.languages()) counts_[language] += count;
    }
  }
  const char* name() const { return "the test captions"; }
  std::int64_t size() const { return size_; }
  const data::LanguageCounts& languages() const { return counts_; }
  data::Example read(std::int64_t i) const {
    for (const auto& test : tests_) {
      if (i < test.size()) return test.read(i);
      i -= test.size();
    }
    fail(name(), ": there is no caption ", i, " behind the last");
  }

 private:
  std::vector<data::AnyExamples> tests_;
  std::int64_t size_ = 0;
  data::LanguageCounts counts_;
};

/// Languages of examples, in order of first occurrence.
inline std::vector<std::string> languages_of(const task::CachedExamples& examples) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < examples.size(); ++i) {
    const auto& language = examples.example(i).language;
    if (std::find(all.begin(), all.end(), language) == all.end()) all.push_back(language);
  }
  return all;
}

/// Adds recall@1 and @5, percent, of captions that search images and of images that search captions.
inline void add_recall(const task::CaptionRecall& found, const std::string& language, task::Ablation ablation,
                       task::Results& results) {
  const std::string seen(task::name_of(ablation));
  for (const auto& [name, recall, chance, n] :
       {std::tuple("text to image", found.to_image, found.to_image_chance, found.captions),
        std::tuple("image to text", found.to_text, found.to_text_chance, found.images)})
    for (const auto& [at, share, guess] :
         {std::tuple("recall@1", recall.at1, chance.at1), std::tuple("recall@5", recall.at5, chance.at5)})
      results.add({name, at, seen, language, 100 * share, task::binomial_error(100 * share, n), n, 100 * guess});
}

/// Writes a JSON list: each caption, the rank of its image, and a caption of the best-ranked image.
inline void write_found(const std::filesystem::path& path, const task::CachedExamples& examples,
                        const std::vector<task::FoundImage>& found) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& one : found)
    all.push_back({{"id", examples.example(one.example).id},
                   {"caption", examples.example(one.example).text},
                   {"rank", one.rank},
                   {"found", examples.example(one.found).id}});
  io::write_file(path, all.dump(1) + '\n');
}

}  // namespace detail

/// Tunes ITC and ITM on the source language, selects the checkpoint on its validation captions, and adds the recall in
/// every language. Writes the search results next to the tables.
/// @throws rc3::Error for fewer than two distinct training images
template <class E>
void retrieve(const TaskContext<E>& context, std::uint64_t seed, task::Results& results) {
  using Model = typename TaskContext<E>::Model;
  const auto& s = context.settings;
  const TaskExamples given = open_task(s.task, "retrieval", seed, context.errors);
  const auto model = context.model();
  const auto prepare = context.prepare({});
  const auto training = context.cache(*model, given.train, prepare, "retrieval train");
  const auto validation = context.cache(*model, given.validation, prepare, "retrieval validation");
  require(training.images() > 1, given.train.name(), ": retrieval learns from two images or more, there is one");
  const auto head = std::make_shared<task::Matcher<Model>>(model);
  const auto measure = [&] {
    const auto images = task::encode_images(*model, validation);
    const auto found = task::CaptionSearch<Model>(*model, validation, images, s.task.source).recall();
    return 50 * (found.to_image.at1 + found.to_text.at1);
  };
  const auto tuned = train::fine_tune(head, task::CachedBatches(training, s.tune.batch, seed), measure,
                                      context.tuning("retrieval", seed, true), std::cout);
  std::cout << "retrieval: validation recall@1 " << tuned.metric << " after step " << tuned.step << std::endl;
  const auto test = context.cache(*model, detail::AllTests(given.test), prepare, "retrieval test");
  for (const task::Ablation ablation : context.ablations(test)) {
    const auto images = task::encode_images(*model, test, ablation);
    for (const auto& language : detail::languages_of(test)) {
      task::CaptionSearch<Model> search(*model, test, images, language);
      if (s.tune.rerank > 0) {  // embeddings are compared in float32, ITM computes in the precision of tuning
        const auto autocast = context.autocast();
        search.rerank(*model, s.tune.rerank);
      }
      detail::add_recall(search.recall(), language, ablation, results);
      if (ablation == task::Ablation::none)
        detail::write_found(s.out / join("retrieval-", language, '-', seed, ".json"), test, search.found());
    }
  }
}

}  // namespace rc3::experiment
