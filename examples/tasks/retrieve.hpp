#pragma once
/// Retrieval: scenes and their captions, both ways.

#include "world.hpp"

namespace tasks {

/// The captions of scenes as examples, languages alternating fastest.
class Captions {
 public:
  Captions(const World& world, const std::vector<std::size_t>& side, std::vector<std::string> languages,
           std::int64_t scenes, std::uint64_t seed)
      : languages_(std::move(languages)),
        // A data set of pairs takes two languages at least; only the first ones are read where there is one.
        scenes_(emoji::retrieval_scenes(world.glyphs, side,
                                        languages_.size() > 1 ? languages_ : std::vector{source, std::string("de")},
                                        scenes, {.seed = seed})) {
    for (const auto& language : languages_) counts_[language] = scenes;
  }

  std::string_view name() const { return "emoji retrieval"; }
  std::int64_t size() const { return scenes_.size() * std::ssize(languages_); }
  const rc3::data::LanguageCounts& languages() const { return counts_; }
  rc3::data::Example read(std::int64_t i) const {
    const auto& language = languages_[static_cast<std::size_t>(i % std::ssize(languages_))];
    auto sample = scenes_.read(i / std::ssize(languages_));
    for (const auto& text : sample.texts)
      if (text.language == language)
        return {.id = rc3::join(sample.id, '-', language),
                .views = {{std::move(sample.picture), std::move(sample.regions)}},
                .language = language,
                .text = text.text};
    rc3::fail(sample.id, ": has no caption in ", language);
  }

 private:
  std::vector<std::string> languages_;
  emoji::Scenes scenes_;
  rc3::data::LanguageCounts counts_;
};
static_assert(rc3::data::ExampleSet<Captions>);

/// Recall in percent, text to picture and picture to text, of one language.
inline void add_recall(const World& world, Model& model, const Remembered& test, const rc3::task::Encoded& pictures,
                       const std::string& language, Look look, rc3::task::Results& results) {
  std::vector<std::int64_t> which, own;
  for (std::int64_t i = 0; i < test.size(); ++i)
    if (test.language(i) == language) {
      which.push_back(i);
      own.push_back(test.picture_of(i));
    }
  const auto texts = rc3::task::encode_texts(model, test, which);
  const auto scores = rc3::task::compare(texts, pictures);
  const auto top = world.settings.rerank;
  const auto to_picture = top > 0 ? rc3::task::rerank(model, scores, texts, pictures, true, top) : scores;
  const auto back = scores.t().contiguous();
  const auto to_text = top > 0 ? rc3::task::rerank(model, back, pictures, texts, false, top) : back;
  // Row p of the transpose asks for the caption of picture p.
  const auto targets = at::tensor(own, at::kLong);
  const auto inverse = at::empty_like(targets).scatter_(0, targets, at::arange(targets.size(0)));
  const auto n = std::ssize(which);
  const auto add = [&](const char* name, const at::Tensor& ranks) {
    const auto chance = rc3::task::chance(n);
    const auto found = rc3::task::recall(ranks);
    for (const auto& [at, share, guess] :
         {std::tuple{"recall@1", found.at1, chance.at1}, std::tuple{"recall@5", found.at5, chance.at5}})
      results.add({name, at, std::string(rc3::task::name_of(look)), language, 100 * share,
                   rc3::task::binomial_error(100 * share, n), n, 100 * guess});
  };
  add("text to picture", rc3::task::ranks(to_picture, targets));
  add("picture to text", rc3::task::ranks(to_text, inverse));
}

inline void retrieve(const World& world, std::uint64_t seed, rc3::task::Results& results) {
  const auto& s = world.settings;
  const auto model = world.model();
  rc3::data::Problems problems;
  const rc3::task::Prepare<> prepare(world.tokenizer, {});
  const auto remember = [&](const std::vector<std::size_t>& side, std::vector<std::string> languages,
                            std::int64_t scenes, std::uint64_t stream, const char* what) {
    return Remembered(*model, Captions(world, side, std::move(languages), scenes, stream), prepare, problems,
                      ticking(rc3::join("retrieval ", what)));
  };
  const auto training = remember(world.split.fit(), {source}, s.scenes, 100 + seed, "train");
  const auto validation = remember(world.split.validation, {source}, s.test_scenes, 200 + seed, "validation");
  const auto head = std::make_shared<rc3::task::Matcher<Model>>(model);
  const auto measure = [&] {
    rc3::task::Results one(source);
    const auto pictures = rc3::task::encode_pictures(*model, validation);
    add_recall(world, *model, validation, pictures, source, Look::all, one);
    return one.find("text to picture", "recall@1", "both", source)->value +
           one.find("picture to text", "recall@1", "both", source)->value;
  };
  const auto tuned = rc3::experiment::tune(head, rc3::task::RememberedBatches(training, s.batch, seed), measure,
                                           world.tuning("retrieval", seed), std::cout);
  std::cout << "retrieval: validation recall@1 " << tuned.validation / 2 << " after step " << tuned.step << "\n";
  const auto test = remember(world.split.test, world.languages, s.test_scenes, 300 + seed, "test");
  for (const Look look : world.looks()) {
    const auto pictures = rc3::task::encode_pictures(*model, test, look);
    for (const auto& language : world.languages) add_recall(world, *model, test, pictures, language, look, results);
  }
}

}  // namespace tasks
