// Training in a program of one's own: emoji scenes through the loader, checkpoints, a run that may be interrupted.
//   train CACHE FOLDER [STEPS]     start it again with the same FOLDER, and it goes on where it was
#include <rc3/data/loader/collate.hpp>
#include <rc3/data/loader/loader.hpp>
#include <rc3/data/loader/prepare.hpp>
#include <rc3/rc3.hpp>
#include "emoji/emoji.hpp"
#include "emoji/scenes.hpp"

#include <iostream>

using namespace rc3;
using Backbone = visual::backbone::EfficientNetLite0;
using Small = Model<visual::Patch<Backbone>, text::Bert>;
using RXvtcl = objective::RXvtcl<regularizer::Ceiling, relevance::ByAlignment<>, objective::negatives::SameImage>;
using Trained = Pretrainer<Small, RXvtcl, objective::Itc>;

int main(int argc, char** argv) try {
  require(argc >= 3, "usage: train CACHE FOLDER [STEPS]");
  const std::filesystem::path cache = argv[1], weights = cache / "weights", emoji = cache / "data/emoji";
  at::manual_seed(1);
  const auto encoder = text::Bert::from_pretrained(weights / "multilingual-e5-small");
  encoder->freeze_lower(encoder->options().layers - 1);
  const auto d = encoder->width();
  const auto network = Backbone::from_pretrained(weights / "efficientnet-lite0", {.frozen_blocks = 16});
  const auto model = std::make_shared<Small>(
      std::make_shared<visual::Patch<Backbone>>(network,
                                                visual::PatchOptions{.width = d, .grid = 7, .max_patches = 49}),
      encoder,
      std::make_shared<fusion::SingleStream>(fusion::SingleStreamOptions{.width = d, .layers = 1, .heads = 6}));
  const auto trained = std::make_shared<Trained>(model, std::array{1.0, 1.0}, std::make_shared<RXvtcl>(),
                                                 std::make_shared<objective::Itc>());

  const auto glyphs = emoji::Glyphs::load(emoji);
  const std::vector<std::string> languages{"en", "de", "fr", "cs", "ja", "zh"};
  const emoji::Scenes scenes(glyphs, emoji::Split::load(emoji, glyphs).train, languages, languages, 4000,
                             {.scene_share = 1});
  const auto tokenizer = text::Tokenizer::from_pretrained(weights / "multilingual-e5-small", {.prefix = "query: "});

  train::Trainer<Trained> trainer(trained, {.optimizer = {.learning_rate = 3e-4, .layer_decay = {{"text.", 0.9}}},
                                            .schedule = {.warmup = 10, .total = argc > 3 ? std::stoll(argv[3]) : 100},
                                            .ema = 0.99});
  train::Run<Trained> run(trainer, {.checkpoint = {.folder = argv[2], .every = 50}, .log = {.every = 5}});
  data::DataErrors errors;
  data::Loader loader(scenes,
                      data::PrepareSample(tokenizer, scenes.languages(), {.augment = preprocess::AugmentOptions{}}),
                      data::CollateSamples(), errors, {.batch = {.size = 32}}, nullptr, run.loader_state());
  run.train(loader);
  std::cout << errors.report();
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
