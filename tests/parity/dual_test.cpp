// Text towers and dual encoders of CLIP, SigLIP and SigLIP 2 against what make_dual.py wrote.
#include <boost/test/unit_test.hpp>

#include "rc3/io/image.hpp"
#include "rc3/io/json.hpp"
#include "rc3/model/dual_encoder.hpp"
#include "rc3/pipeline/any_model.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/preprocess/preprocess.hpp"
#include "rc3/text/clip_tokenizer.hpp"
#include "rc3/text/siglip_tokenizer.hpp"
#include "rc3/text/tokenize.hpp"
#include "support/parity.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(parity_dual)

using namespace rc3::test;
using rc3::Texts;
namespace st = rc3::io::safetensors;
namespace fs = std::filesystem;

constexpr double limit = 1e-5;

template <class Tower>
void compare_tower(const fs::path& folder, const nlohmann::json& about, const std::string& head) {
  const auto name = about["name"].get<std::string>(), what = about["what"].get<std::string>();
  const st::Reader truth(folder / (name + ".safetensors"));
  rc3::io::LoadReport report;
  const auto tower = Tower::from_pretrained(folder / name);
  Tower::from_pretrained(folder / name, &report);
  tower->eval();
  parity("encoders", what, "transformers", "missing and unused names",
         static_cast<double>(report.missing.size() + report.unused.size()), 0);
  const Texts texts{truth.read("ids"), truth.read("mask"), {}};
  const auto rows = texts.mask.unsqueeze(2);
  const auto tokens = tower->encode(texts);
  BOOST_TEST(tokens.values.masked_select(~rows).abs().sum().template item<double>() == 0);
  parity("encoders", what, "transformers", "last hidden state, max abs difference",
         max_difference(tokens.values * rows, truth.read("hidden") * rows), limit);
  parity("encoders", what, "transformers", "projected, max abs difference",
         max_difference(tower->project(tower->pool(tokens)), truth.read("shared")), limit);
  // A batch of other texts, shorter: the same embeddings.
  const auto shorter = texts.select(at::arange(3));
  const Texts cut{shorter.ids.slice(1, 0, 5), shorter.mask.slice(1, 0, 5), {}};
  at_most(name + ": two columns of padding less",
          max_difference(tower->pool(tower->encode(cut)), tower->pool(tokens).slice(0, 0, 3)), limit);
  tower->save_pretrained(folder / "saved" / name);
  BOOST_TEST(Tower::from_pretrained(folder / "saved" / name)->pool(tokens).equal(tower->pool(tokens)));
  BOOST_TEST(head.size() > 0);
}

BOOST_AUTO_TEST_CASE(text_towers) {
  const auto folder = truth("dual");
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  const auto towers = rc3::io::read_json(folder / "cases.json")["towers"];
  at_least("text towers compared", towers.size(), 7U);
  for (const auto& about : towers) BOOST_TEST_CONTEXT(about["name"]) {
      if (about["clip"].get<bool>())
        compare_tower<rc3::text::ClipText>(folder, about, "text_projection.");
      else
        compare_tower<rc3::text::SiglipText>(folder, about, "head.");
    }
}

template <class Model>
void compare_pair(const fs::path& folder, const nlohmann::json& about) {
  const auto name = about["name"].get<std::string>(), what = about["what"].get<std::string>();
  const st::Reader truth(folder / (name + ".safetensors"));
  const auto model = Model::from_pretrained(folder / name);
  model->eval();
  const auto tokenizer = Model::Tokenizer::from_pretrained(folder / name);
  const auto preprocess = rc3::preprocess::Preprocess::from_pretrained(folder / name);
  rc3::Images images;
  images.pixels = preprocess(rc3::io::load_image(folder / "image.png")).unsqueeze(0);
  const auto texts = rc3::text::tokenize(tokenizer, about["texts"].get<std::vector<std::string>>());
  const auto image = model->image_embedding(model->visual(images));
  const auto text = model->text_embedding(model->text(texts));
  parity("encoders", what, "transformers", "image embedding, max abs difference",
         max_difference(image, truth.read("image")), limit);
  parity("encoders", what, "transformers", "text embeddings, max abs difference",
         max_difference(text, truth.read("texts")), limit);
  // The same directory by rc3::load, from the image's file and the strings.
  const rc3::Embedder<Model> embedder(rc3::load<Model>(folder / name));
  parity("encoders", what, "transformers", "Embedder: image file, max abs difference",
         max_difference(embedder.file(folder / "image.png").unsqueeze(0), truth.read("image")), limit);
  const auto strings = about["texts"].get<std::vector<std::string>>();
  parity("encoders", what, "transformers", "Embedder: strings, max abs difference",
         max_difference(embedder.texts(strings), truth.read("texts")), limit);
  const auto any = rc3::load_any_model<rc3::Clip, rc3::Siglip>(folder / name);
  BOOST_TEST(any.model->variant() == rc3::type_name<Model>());
  BOOST_TEST(rc3::pipeline::identity_of(any) == rc3::pipeline::identity_of(embedder.pipeline()));
  const auto logits = truth.read("logits");
  parity("encoders", what, "transformers", "logits, largest relative difference",
         max_difference(model->logits(image, text), logits) / logits.abs().max().item<double>(), limit);
}

BOOST_AUTO_TEST_CASE(dual_encoders_end_to_end) {
  const auto folder = truth("dual");
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  const auto pairs = rc3::io::read_json(folder / "cases.json")["pairs"];
  at_least("dual encoders compared", pairs.size(), 5U);
  for (const auto& about : pairs) BOOST_TEST_CONTEXT(about["name"]) {
      if (about["class"] == "CLIPModel")
        compare_pair<rc3::Clip>(folder, about);
      else
        compare_pair<rc3::Siglip>(folder, about);
    }
}

BOOST_AUTO_TEST_SUITE_END()
