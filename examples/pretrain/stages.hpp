#pragma once
/// The stages of a run: align images and texts, tune the encoders (long run), fuse.

#include <rc3/rc3.hpp>

#include <iostream>
#include <numeric>

#include "settings.hpp"
#include "world.hpp"

namespace pretrain {

/// Languages of a run.
struct Languages {
  std::vector<std::string> strict, weak, extra, unseen;

  /// Those that training reads.
  std::vector<std::string> trained() const { return joined({&strict, &weak}); }
  std::vector<std::string> tuned() const { return joined({&strict, &weak, &extra}); }
  /// Those that are shown.
  std::vector<std::string> shown() const { return joined({&strict, &weak, &unseen}); }

 private:
  static std::vector<std::string> joined(std::initializer_list<const std::vector<std::string>*> groups) {
    std::vector<std::string> all;
    for (const auto* group : groups) all.insert(all.end(), group->begin(), group->end());
    return all;
  }
};

/// Everything that the stages share.
struct World {
  const Settings& settings;
  const emoji::Glyphs& glyphs;
  const std::vector<std::size_t>& side;  ///< glyphs that are trained on
  const std::vector<std::size_t>& held;  ///< glyphs that are searched for
  const Languages& languages;
  const rc3::text::Tokenizer& tokenizer;
};

/// The curve of losses, by stage.
struct History {
  std::vector<double> step, loss;
  void add(double value) {
    step.push_back(static_cast<double>(step.size() + 1));
    loss.push_back(value);
  }
};

/// All names of @p which in @p languages.
inline std::vector<std::string> all_names(const emoji::Glyphs& glyphs, const std::vector<std::size_t>& which,
                                          const std::vector<std::string>& languages) {
  std::vector<std::string> names;
  for (const auto& language : languages)
    for (const auto g : which)
      if (const auto* found = glyphs[g].find(language)) names.push_back(found->name);
  return names;
}

/// Ids of captions: equal texts, equal ids.
inline at::Tensor caption_ids(std::span<const std::string> texts) {
  std::vector<std::int64_t> ids;
  for (const auto& text : texts) ids.push_back(rc3::data::text_id(text));
  return at::tensor(ids, at::kLong);
}

/// Batches of single glyphs, each with its names in two languages.
class NameBatches {
 public:
  NameBatches(const World& world, const Views& views, const TextMemory& texts, std::vector<std::string> languages,
              int batch, std::uint64_t stream)
      : world_(world),
        views_(views),
        texts_(texts),
        languages_(std::move(languages)),
        batch_(std::min<std::int64_t>(batch, static_cast<std::int64_t>(world.side.size()))),
        random_(world.settings.seed, stream) {}

  rc3::Batch next() {
    std::vector<std::int64_t> rows, views, ids;
    std::vector<std::string> a, b;
    auto strict = at::zeros({batch_}, at::kBool);
    for (std::int64_t i = 0; i < batch_; ++i) {
      if (order_.empty()) order_ = random_.permutation(static_cast<std::int64_t>(world_.side.size()));
      const auto row = order_.back();
      order_.pop_back();
      const auto g = world_.side[static_cast<std::size_t>(row)];
      const auto [left, right] = two_languages(g);
      rows.push_back(row);
      views.push_back(static_cast<std::int64_t>(random_.below(views_.views())));
      ids.push_back(static_cast<std::int64_t>(g));
      a.push_back(name_of(world_.glyphs, g, left));
      b.push_back(name_of(world_.glyphs, g, right));
      strict[i] = true;  // names are translations of one another
    }
    return {views_.select(rows, views), texts_.batch(a), texts_.batch(b), strict, {},
            at::tensor(ids, at::kLong), caption_ids(a),  caption_ids(b)};
  }

 private:
  std::pair<std::string, std::string> two_languages(std::size_t g) {
    const auto draw = [&] {
      for (;;) {
        const auto& language = languages_[random_.below(languages_.size())];
        if (world_.glyphs[g].find(language) != nullptr) return language;
      }
    };
    const auto left = draw();
    for (;;)
      if (const auto right = draw(); right != left) return {left, right};
  }

  const World& world_;
  const Views& views_;
  const TextMemory& texts_;
  std::vector<std::string> languages_;
  std::int64_t batch_;
  rc3::Random random_;
  std::vector<std::int64_t> order_;
};

/// Runs @p trainer for @p steps batches of @p next, with a progress bar.
template <class Trainer, class Next>
void train(Trainer& trainer, std::int64_t steps, std::int64_t batch, const std::string& label, History& history,
           Next&& next) {
  rc3::train::Progress::Options options;
  options.label = label;
  options.unit = "images";
  rc3::train::Progress progress(steps * batch, std::cout, rc3::train::stdout_is_terminal(), options);
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto report = trainer.step(next());
    history.add(report.loss);
    progress.update((step + 1) * batch, report.loss);
  }
  progress.finish();
}

/// Stage 1: image and text heads, with every encoder frozen.
inline void align(const World& world, const std::shared_ptr<Model>& model, const Views& views, const TextMemory& texts,
                  History& history) {
  const auto& s = world.settings;
  NameBatches batches(world, views, texts, world.languages.trained(), s.align_batch, 1);
  const auto pretrainer = std::make_shared<Align>(
      model, std::array<double, 2>{1.0, 1.0}, std::make_shared<objective::Itc>(), std::make_shared<objective::Xtcl>());
  rc3::train::Options options{.seed = 0};  // the program has seeded all
  options.optimizer.learning_rate = s.learning_rate;
  options.optimizer.weight_decay = 0.05;
  options.schedule = {20, s.align_steps, 0.0};
  rc3::train::Trainer<Align> trainer(pretrainer, options);
  train(trainer, s.align_steps, s.align_batch, "align", history, [&] { return batches.next(); });
}

/// Stage 2, long run: the last layers of both encoders as well, at a lower rate.
inline void tune(const World& world, const std::shared_ptr<Model>& model, const Views& views, const TextMemory& texts,
                 History& history) {
  const auto& s = world.settings;
  NameBatches batches(world, views, texts, world.languages.tuned(), s.tune_batch, 2);
  const auto pretrainer =
      std::make_shared<Align>(model, std::array<double, 2>{1.0, 1.0}, std::make_shared<objective::Itc>(0.05),
                              std::make_shared<objective::Xtcl>(0.05));
  rc3::train::Options options{.seed = 0};  // the program has seeded all
  options.optimizer.learning_rate = 3e-4;
  options.optimizer.weight_decay = 0.05;
  options.optimizer.rates = {{"backbone", 0.5 * s.tune_rate}, {"text.", 0.3 * s.tune_rate}};
  options.schedule = {20, s.tune_steps, 0.0};
  rc3::train::Trainer<Align> trainer(pretrainer, options);
  train(trainer, s.tune_steps, s.tune_batch, "tune ", history, [&] { return batches.next(); });
}

/// The items of stage 3 with their images: one pass over the glyphs.
struct Scenes {
  std::vector<emoji::Item> items;
  std::unique_ptr<ImageMemory> images;

  Scenes(const World& world, Visual& visual, TextMemory& texts) {
    emoji::Sampler::Options options;
    options.seed = world.settings.seed;
    options.scene_share = 0.5;
    options.weak_share = 0.7;
    const emoji::Sampler sampler(world.glyphs, world.side, world.languages.strict, world.languages.weak, options);
    std::vector<std::string> captions;
    for (std::int64_t i = 0; i < sampler.size(); ++i) {
      items.push_back(sampler.item(0, i));
      captions.push_back(items.back().text_a);
      captions.push_back(items.back().text_b);
    }
    texts.add(captions, step("read scenes ", "texts"));
    images = std::make_unique<ImageMemory>(
        visual, items.size(), [&](std::size_t i) { return sampler.draw(items[i], emoji::Style::training()); },
        step("see scenes  ", "images"));
  }

  rc3::Batch batch(std::span<const std::int64_t> index, const TextMemory& texts) const {
    std::vector<std::int64_t> ids;
    std::vector<std::string> a, b;
    auto strict = at::zeros({static_cast<std::int64_t>(index.size())}, at::kBool);
    for (std::size_t i = 0; i < index.size(); ++i) {
      const auto& item = items[static_cast<std::size_t>(index[i])];
      ids.push_back(item.image_id);
      a.push_back(item.text_a);
      b.push_back(item.text_b);
      strict[static_cast<std::int64_t>(i)] = item.strict;
    }
    return {images->select(at::tensor(index, at::kLong)),
            texts.batch(a),
            texts.batch(b),
            strict,
            {},
            at::tensor(ids, at::kLong),
            caption_ids(a),
            caption_ids(b)};
  }
};

/// Stage 3: the fusion encoder, on scenes and singles with strictly and weakly aligned texts.
inline void fuse(const World& world, const std::shared_ptr<Model>& model, const Scenes& scenes, const TextMemory& texts,
                 Relevance relevance, History& history) {
  const auto& s = world.settings;
  const auto r_xvtcl = std::make_shared<RXvtcl>(objective::RXvtclOptions{.tau = 0.07, .lambda = 1.0},
                                                rc3::regularizer::Ceiling(0.2), std::move(relevance));
  const auto pretrainer =
      std::make_shared<Fuse>(model, std::array<double, 2>{1.0, 1.0}, r_xvtcl, std::make_shared<objective::Itm>());
  rc3::train::Options options{.seed = 0};  // the program has seeded all
  options.optimizer.learning_rate = 5e-4;
  options.optimizer.weight_decay = 0.05;
  // What alignment has learned stays as it is: small batches of scenes would undo it.
  options.optimizer.rates = {{"image_hidden", 0.0}, {"image_head", 0.0}, {"text_head", 0.0}};
  options.schedule = {10, s.fuse_steps, 0.0};
  rc3::train::Trainer<Fuse> trainer(pretrainer, options);
  rc3::Random random(s.seed, 3);
  std::vector<std::int64_t> order;
  train(trainer, s.fuse_steps, s.fuse_batch, "fuse ", history, [&] {
    std::vector<std::int64_t> index;
    while (static_cast<int>(index.size()) < s.fuse_batch) {
      if (order.empty()) order = random.permutation(static_cast<std::int64_t>(scenes.items.size()));
      index.push_back(order.back());
      order.pop_back();
    }
    return scenes.batch(index, texts);
  });
}

}  // namespace pretrain
