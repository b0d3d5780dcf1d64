/// Vit, ClipVision and SiglipVision against transformers: make_vision.py wrote directories and what it computed.

#include <boost/test/unit_test.hpp>

#include "rc3/visual/visual.hpp"
#include "support/parity.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(parity_vision)

using namespace rc3::test;
using rc3::Images;
namespace backbone = rc3::visual::backbone;
using backbone::ClipVision;
using backbone::SiglipVision;
using backbone::Vit;

/// What from_pretrained read the weights with.
template <class Backbone>
rc3::io::Layout layout() {
  if constexpr (std::is_same_v<Backbone, Vit>) return backbone::detail::vit_layout();
  return backbone::detail::clip_layout("");
}

Images images_of(at::Tensor pixels) {
  Images images;
  images.pixels = std::move(pixels);
  return images;
}

double rms(const at::Tensor& t) { return t.to(at::kDouble).square().mean().sqrt().item<double>(); }

template <class Backbone>
void compare(const std::filesystem::path& folder, const nlohmann::json& about) {
  const torch::NoGradGuard no_grad;
  const auto name = about["name"].get<std::string>();
  const auto what = about["what"].get<std::string>();
  const std::string with = "transformers";
  const rc3::io::safetensors::Reader truth(folder / (name + ".safetensors"));
  const auto model = Backbone::from_pretrained(folder / name);
  model->eval();

  rc3::io::LoadReport report;
  rc3::io::load_pretrained(*model, folder / name, layout<Backbone>(), &report);
  BOOST_TEST(report.loaded.size() == rc3::nn::named_state(*model).size());
  parity("encoders", what, with, "missing and unused keys",
         static_cast<double>(report.missing.size() + report.unused.size()), 0);

  double last = 0, pooled = 0;
  for (std::size_t i = 0; i < about["images"].size(); ++i) {
    const auto read = [&](std::string_view key) { return truth.read(rc3::join(i, ".", key)); };
    const auto images = images_of(read("pixels"));
    const auto hidden = model->last_hidden(images);
    last = std::max(last, max_difference(hidden, read("last")));
    if (truth.contains(rc3::join(i, ".pooled")))
      pooled = std::max(pooled, max_difference(model->pooled(images), read("pooled")));
    const auto map = model->features(images);
    BOOST_TEST(map.flatten(2).transpose(1, 2).equal(hidden.slice(1, hidden.size(1) - map.size(2) * map.size(3))));
  }
  parity("encoders", what, with, "last hidden state, max abs difference", last, 1e-5);
  if (truth.contains("0.pooled")) parity("encoders", what, with, "pooled, max abs difference", pooled, 1e-5);

  model->save_pretrained(folder / "saved" / name);
  const auto again = Backbone::from_pretrained(folder / "saved" / name);
  const auto first = images_of(truth.read("0.pixels"));
  BOOST_TEST(again->last_hidden(first).equal(model->last_hidden(first)));

  // Every number of the model in bfloat16, of 8 bits. How the rounding adds up depends on the sizes of what is added:
  // measured up to 0.13 (CLIP's last hidden state, which no norm follows), and 0.97 to 1.11 of what transformers does
  // to itself: torch::nn::Linear rounds once more before it adds the bias.
  model->to(at::kBFloat16);
  double most = 0, ours = 0, theirs = 0;
  for (std::size_t i = 0; i < about["images"].size(); ++i) {
    const auto expected = truth.read(rc3::join(i, ".last"));
    const auto hidden = model->last_hidden(images_of(truth.read(rc3::join(i, ".pixels"))));
    BOOST_TEST(hidden.scalar_type() == at::kBFloat16);
    most = std::max(most, max_difference(hidden, expected));
    ours += rms(hidden - expected);
    theirs += rms(truth.read(rc3::join(i, ".last.bfloat16")) - expected);
  }
  parity("encoders", what, with + " in float32", "bfloat16, last hidden state, max abs difference", most, 0.25);
  parity("encoders", what, with + " in float32", "bfloat16, RMS error as a multiple of transformers' own",
         ours / theirs, 1.3);
}

BOOST_AUTO_TEST_CASE(encoders_are_those_of_transformers) {
  const auto folder = truth("vision");
  if (folder.empty()) return;
  const auto cases = rc3::io::read_json(folder / "cases.json");
  at_least("vision: cases", cases.size(), 10U);
  for (const auto& about : cases) {
    BOOST_TEST_CONTEXT(about["name"]) {
      if (about["family"] == "vit")
        compare<Vit>(folder, about);
      else if (about["family"] == "clip")
        compare<ClipVision>(folder, about);
      else
        compare<SiglipVision>(folder, about);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
