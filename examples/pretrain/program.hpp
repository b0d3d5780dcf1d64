#pragma once
/// What both programs do. They differ in the header of pretrain/backbone that they include before, and in their
/// defaults.

#include <malloc.h>
#include <rc3/rc3.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <iostream>

#include "evaluate.hpp"
#include "memory.hpp"
#include "settings.hpp"
#include "show.hpp"
#include "stages.hpp"
#include "variant.hpp"
#include "world.hpp"

namespace pretrain {

inline void run(const Settings& settings) {
  const auto start = std::chrono::steady_clock::now();
  at::set_num_threads(settings.threads);
  at::manual_seed(settings.seed);
  std::filesystem::create_directories(settings.out);

  const auto glyphs = emoji::Glyphs::load(settings.cache / "data/emoji");
  const auto split = emoji::Split::load(settings.cache / "data/emoji", glyphs);
  auto side = settings.validate ? split.fit() : split.train;
  auto held = settings.validate ? split.validation : split.test;
  side.resize(std::min(side.size(), settings.glyphs));
  held.resize(std::min(held.size(), settings.glyphs));
  Languages languages{split.languages.strict, split.languages.weak, {}, split.languages.unseen};
  if (settings.more_languages) languages.extra = split.languages.extra;

  const auto weights = settings.cache / "weights";
  const auto e5 = weights / "multilingual-e5-small";
  const auto tokenizer = rc3::text::Tokenizer::from_pretrained(e5, {.prefix = "query: ", .max_length = 64});
  const World world{settings, glyphs, side, held, languages, tokenizer};
  show_data(world, side.size());

  const auto model = make_model(weights);
  auto& visual = *model->visual_policy();
  auto& network = *visual.patch()->backbone();
  auto& encoder = *model->text_policy();
  show_model(*model, settings);

  // Stage 0: what the frozen encoders make of everything, once.
  model->eval();
  const auto views = static_cast<std::size_t>(settings.views);
  const std::vector<std::size_t> sample(side.begin(), side.begin() + std::min<std::ptrdiff_t>(200, std::ssize(side)));
  calibrate_images(network, glyphs, sample, settings.seed);
  auto seen = std::make_unique<Views>(visual, glyphs, side, views, settings.seed, "see train   ");
  auto test = std::make_unique<Views>(visual, glyphs, held, 1, settings.seed, "see test    ");
  TextMemory texts(tokenizer, encoder);
  texts.add(all_names(glyphs, side, languages.trained()), step("read train  ", "texts"));
  texts.add(all_names(glyphs, held, languages.shown()), step("read test   ", "texts"));
  {
    c10::NoGradGuard no_grad;
    model->calibrate_images(model->visual(seen->range(0, std::min<std::int64_t>(seen->size(), 1024))));
    model->calibrate_texts(encoder.pool(encoder.encode(texts.batch(all_names(glyphs, sample, languages.trained())))));
  }
  const auto evaluate = [&] { return Evaluation(*model, *test, texts, glyphs, held).all(languages.shown()); };
  const auto untrained = evaluate();
  std::cout << "\n";

  History history;
  align(world, model, *seen, texts, history);
  if (settings.tune_steps > 0) {
    if (settings.validate)
      std::cout << "before tuning: " << listed(cells("strict", mean(evaluate(), languages.strict))) << "  "
                << listed(cells("unseen", mean(evaluate(), languages.unseen))) << "\n";
    texts.clear();
    const bool images_learn = thaw(network, settings.tune_blocks);
    encoder.freeze_lower(encoder.options().layers - settings.tune_layers);
    texts.add(all_names(glyphs, side, languages.tuned()), step("read deeper ", "texts"));
    if (images_learn) {
      seen.reset();
      seen = std::make_unique<Views>(visual, glyphs, side, views, settings.seed, "see deeper  ");
    }
    tune(world, model, *seen, texts, history);
    texts.clear();
    encoder.freeze_lower(encoder.options().layers);
    model->eval();
    texts.add(all_names(glyphs, held, languages.shown()), step("read test   ", "texts"));
    if (images_learn) {
      thaw(network, all_blocks);
      test = std::make_unique<Views>(visual, glyphs, held, 1, settings.seed, "see test    ");
    }
    seen.reset();
  }
  if (settings.fuse_steps > 0) {
    if (settings.validate)
      std::cout << "before fusing: " << listed(cells("strict", mean(evaluate(), languages.strict))) << "  "
                << listed(cells("unseen", mean(evaluate(), languages.unseen))) << "\n";
    model->eval();
    const Scenes scenes(world, visual, texts);
    const auto frozen = rc3::text::Bert::from_pretrained(e5);
    frozen->eval();
    show_texts(scenes.items, *frozen, tokenizer);
    Relevance relevance(frozen);
    relevance.calibrate(rc3::text::tokenize(tokenizer, all_names(glyphs, sample, {"en"})),
                        rc3::text::tokenize(tokenizer, all_names(glyphs, sample, {"de"})));
    fuse(world, model, scenes, texts, std::move(relevance), history);
  }

  const auto scores = evaluate();
  show_curve(history);
  show_results(world, scores, untrained);
  const Evaluation evaluation(*model, *test, texts, glyphs, held);
  if (settings.rerank > 0) show_reranked(world, evaluation, scores);
  show_sheet(world, evaluation, settings.out / "sheet.png");
  rc3::train::save_checkpoint(settings.out / "model.safetensors", *model, Model::name());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  save_results(world, scores, untrained, history, took.count(), settings.out / "results.json");
  std::cout << "\nImage sheet: " << (settings.out / "sheet.png").string()
            << "   model: " << (settings.out / "model.safetensors").string()
            << "   numbers: " << (settings.out / "results.json").string() << "\n"
            << rc3::train::format_seconds(took.count()) << " in all\n";
}

/// A whole program. @param settings  what the command line does not say
inline int main_of(int argc, char** argv, Settings settings) {
  // Tensors of megabytes come and go at every step: keep their memory instead of giving it back to the system each
  // time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  CLI::App app{
      "Trains an RC3 variant on emoji images and their names in many languages, then searches images in languages "
      "that training never saw."};
  settings.add_to(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(settings.resolved());
    return 0;
  } catch (const rc3::Error& error) {
    std::cerr << "\npretrain: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace pretrain
