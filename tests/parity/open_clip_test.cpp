// rc3::XlmRobertaClip against what make_open_clip.py wrote.
#include <boost/test/unit_test.hpp>

#include "rc3/io/image.hpp"
#include "rc3/io/json.hpp"
#include "rc3/model/dual_encoder.hpp"
#include "rc3/pipeline/any_model.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/pipeline/save.hpp"
#include "support/parity.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(parity_open_clip)

using namespace rc3::test;
using rc3::XlmRobertaClip;
namespace st = rc3::io::safetensors;

BOOST_AUTO_TEST_CASE(image_files_and_strings) {
  const auto folder = truth("open_clip");
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  constexpr double limit = 1e-5;
  const auto cases = rc3::io::read_json(folder / "cases.json");
  at_least("models of open_clip compared", cases.size(), 3U);
  for (const auto& about : cases) BOOST_TEST_CONTEXT(about["name"]) {
      const auto name = about["name"].get<std::string>(), what = about["what"].get<std::string>();
      const auto strings = about["texts"].get<std::vector<std::string>>();
      const st::Reader truth(folder / (name + ".safetensors"));
      const rc3::Embedder<XlmRobertaClip> embedder(rc3::load<XlmRobertaClip>(folder / name));
      const auto image = embedder.file(folder / "image.png").unsqueeze(0), texts = embedder.texts(strings);
      parity("encoders", what, "open_clip", "image embedding, max abs difference",
             max_difference(image, truth.read("image")), limit);
      parity("encoders", what, "open_clip", "text embeddings, max abs difference",
             max_difference(texts, truth.read("texts")), limit);
      const auto logits = truth.read("logits");
      parity(
          "encoders", what, "open_clip", "logits, largest relative difference",
          max_difference(embedder.pipeline().model->logits(image, texts), logits) / logits.abs().max().item<double>(),
          limit);

      // As one of several types, and as a model directory of rc3.
      const auto any = rc3::load_any_model<rc3::Clip, XlmRobertaClip>(folder / name);
      BOOST_TEST(any.model->variant() == rc3::type_name<XlmRobertaClip>());
      const auto saved = folder / "saved" / name;
      rc3::save(embedder.pipeline(), saved);
      const rc3::Embedder<XlmRobertaClip> again(rc3::load<XlmRobertaClip>(saved));
      const auto weights = again.pipeline().model->named_parameters();
      for (const auto& own : embedder.pipeline().model->named_parameters())
        BOOST_TEST(weights[own.key()].equal(own.value()), own.key() << " is another after save and load");
      BOOST_TEST(again.texts(strings).equal(texts));
      // Weights lie elsewhere in memory, and BLAS without AVX-512 rounds the product of one row by their alignment.
      BOOST_TEST(max_difference(again.file(folder / "image.png").unsqueeze(0), image) <= 1e-6);
    }
}

BOOST_AUTO_TEST_SUITE_END()
