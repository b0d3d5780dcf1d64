// Training in a program of one's own, on emoji scenes; it may be interrupted.
//   train CACHE FOLDER [STEPS]     a second start with the same FOLDER resumes the run
#include <rc3/experiment/fit.hpp>
#include <rc3/pipeline/make_model.hpp>
#include <rc3/rc3.hpp>
#include "emoji/emoji.hpp"
#include "emoji/scenes.hpp"

using namespace rc3;
using Variant = Model<visual::Patch<visual::backbone::EfficientNetLite0>, text::Bert>;
using RXvtcl = objective::RXvtcl<regularizer::Ceiling, relevance::ByAlignment<>, objective::negatives::SameImage>;

int main(int argc, char** argv) try {
  require(argc >= 3, "usage: train CACHE FOLDER [STEPS]");
  const std::filesystem::path cache = argv[1], weights = cache / "weights", emoji = cache / "data/emoji";
  const std::vector<std::string> languages{"en", "de", "fr", "cs", "ja", "zh"};
  const auto glyphs = emoji::Glyphs::load(emoji);
  const emoji::Scenes scenes(glyphs, emoji::Split::load(emoji, glyphs).train, languages, languages, 200, {});

  const auto model = make_model<Variant>({.text = weights / "multilingual-e5-small",
                                          .image = weights / "efficientnet-lite0",
                                          .tokenizer = {.prefix = "query: "}});
  const auto training = pretrain(model, 1.0 * RXvtcl(), 0.5 * objective::Itc());
  fit(training, scenes, {.steps = argc > 3 ? std::stoll(argv[3]) : 100, .folder = argv[2], .batch = 16});
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
