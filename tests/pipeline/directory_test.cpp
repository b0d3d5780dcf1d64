#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "rc3/core/nn/state.hpp"
#include "rc3/fusion/fusion.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/model/model.hpp"
#include "rc3/pipeline/load.hpp"
#include "rc3/pipeline/load_any.hpp"
#include "rc3/pipeline/save.hpp"
#include "rc3/text/text.hpp"
#include "rc3/visual/visual.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_directory)

using namespace rc3::test;
namespace visual = rc3::visual;
namespace backbone = rc3::visual::backbone;
namespace text = rc3::text;
namespace fusion = rc3::fusion;
using Json = nlohmann::ordered_json;
using std::make_shared;

// Options differ from the defaults, so that a lost one changes the model.
constexpr std::int64_t d = 8;

std::shared_ptr<backbone::LinearPatches> linear() {
  return make_shared<backbone::LinearPatches>(backbone::LinearPatchesOptions{.channels = 6, .patch_size = 8});
}
template <class Options>
Options sizes() {
  Options o;
  o.width = 12;
  o.layers = 1;
  o.heads = 3;
  o.feed_forward = 10;
  o.image_size = 16;
  o.patch_size = 8;
  o.norm_eps = 1e-5;
  return o;
}
template <class B>
std::shared_ptr<visual::Patch<B>> patches(std::shared_ptr<B> b) {
  return make_shared<visual::Patch<B>>(b,
                                       visual::PatchOptions{.width = d, .grid = 2, .max_patches = 3, .dropout = 0.3});
}
std::shared_ptr<text::TransformerEncoder> encoder() {
  return make_shared<text::TransformerEncoder>(text::TransformerEncoderOptions{
      .vocabulary = 40, .width = d, .layers = 1, .heads = 4, .feed_forward = 9, .positions = 16, .norm_eps = 1e-5});
}
text::BertOptions bert_sizes() {
  text::BertOptions o{.vocabulary = 40, .width = d, .layers = 2, .heads = 2, .feed_forward = 9, .positions = 18};
  o.first_position = 2;
  o.pooling = text::Pooling::first;
  return o;
}
std::shared_ptr<fusion::SingleStream> stream() {
  return make_shared<fusion::SingleStream>(
      fusion::SingleStreamOptions{.width = d, .layers = 1, .heads = 2, .feed_forward = 7});
}
const rc3::ModelOptions heads{.embedding = 5, .hidden = 11, .image_dropout = 0.4, .text_dropout = 0.1};

using Linear = backbone::LinearPatches;
/// The demo's structure: a backbone that regions and patches share.
using Shared = rc3::Model<visual::Both<visual::RoiFromCrops<Linear>, visual::Patch<Linear>>, text::Bert,
                          fusion::LateInteractionFusion<fusion::SingleStream>>;
std::shared_ptr<Shared> shared() {
  const auto b = linear();
  const auto crops = make_shared<visual::RoiFromCrops<Linear>>(
      b, visual::RoiFromCropsOptions{.width = d, .side = 16, .margin = 0.2, .location = visual::Location::seven});
  return make_shared<Shared>(make_shared<visual::Both<visual::RoiFromCrops<Linear>, visual::Patch<Linear>>>(
                                 crops, patches(b), visual::BothOptions{.drop_regions = 0.2, .drop_patches = 0.3}),
                             make_shared<text::Bert>(bert_sizes()),
                             make_shared<fusion::LateInteractionFusion<fusion::SingleStream>>(
                                 stream(), fusion::LateInteractionFusionOptions{.tau = 0.2}),
                             heads);
}
/// As above, with two backbones of one type.
using Apart = Shared;
std::shared_ptr<Apart> apart() {
  const auto crops = make_shared<visual::RoiFromCrops<Linear>>(
      linear(), visual::RoiFromCropsOptions{.width = d, .side = 16, .location = visual::Location::seven});
  return make_shared<Apart>(
      make_shared<visual::Both<visual::RoiFromCrops<Linear>, visual::Patch<Linear>>>(crops, patches(linear())),
      make_shared<text::Bert>(bert_sizes()), make_shared<fusion::LateInteractionFusion<fusion::SingleStream>>(stream()),
      heads);
}

using Joined = backbone::Concat<backbone::Vit, backbone::ClipVision, backbone::SiglipVision>;
using Towers = rc3::Model<visual::Both<visual::RoiFromBackbone<Joined>, visual::Patch<Joined>>, text::XlmRoberta>;
std::shared_ptr<Towers> towers() {
  auto vit = sizes<backbone::VitOptions>();
  vit.pooler = 4;
  auto clip = sizes<backbone::ClipVisionOptions>();
  clip.projection = 0;
  auto siglip = sizes<backbone::SiglipVisionOptions>();
  siglip.activation = rc3::nn::Activation::quick_gelu;
  siglip.pixels.mean = {0.1, 0.2, 0.3};
  const auto b = make_shared<Joined>(make_shared<backbone::Vit>(vit), make_shared<backbone::ClipVision>(clip),
                                     make_shared<backbone::SiglipVision>(siglip));
  const auto roi = make_shared<visual::RoiFromBackbone<Joined>>(
      b, visual::RoiFromBackboneOptions{.width = d, .grid = 3, .location = visual::Location::seven});
  return make_shared<Towers>(
      make_shared<visual::Both<visual::RoiFromBackbone<Joined>, visual::Patch<Joined>>>(roi, patches(b)),
      make_shared<text::XlmRoberta>(bert_sizes()), stream(), heads);
}

using Regions = rc3::Model<visual::Roi, text::TransformerEncoder>;
std::shared_ptr<Regions> regions() {
  return make_shared<Regions>(make_shared<visual::Roi>(visual::RegionEmbeddingOptions{
                                  .features = 12, .width = d, .location = visual::Location::seven}),
                              encoder(), stream(), heads);
}

using Lite = rc3::Model<visual::Patch<backbone::EfficientNetLite0>, text::TransformerEncoder>;

const std::optional<text::Tokenizer>& tokenizer() {
  static const auto one = [] {
    std::optional<text::Tokenizer> t;
    if (have("weights/multilingual-e5-small/sentencepiece.bpe.model"))
      t = text::Tokenizer::from_pretrained(cached("weights/multilingual-e5-small"),
                                           {.prefix = "query: ", .max_length = 12});
    return t;
  }();
  return one;
}

template <class M>
rc3::Pipeline<M> pipeline(std::shared_ptr<M> model) {
  rc3::ModelCard card{.title = "A | test", .licence = "MIT", .languages = {"en", "sw"}};
  card.weights = {{"network", "Apache-2.0", "https://example.org"}};
  card.figures = {{"Recall", {"R@1", "R@5"}, {{"en", {12.25, 50}, "read"}, {"sw", {std::nan(""), 7}}}, 2}};
  return {std::move(model),
          *tokenizer(),
          {.background = {1, 2, 3},
           .resize = rc3::preprocess::PreprocessSize{0, 0, 20},
           .resample = rc3::io::Resample::bilinear,
           .crop = rc3::preprocess::PreprocessSize{16, 16, 0}},
          card};
}

struct Inputs {
  Inputs() {
    torch::manual_seed(9);
    images.pixels = at::randint(0, 256, {2, 3, 16, 16}, at::kByte);
    images.boxes = at::tensor({2.f, 3.f, 14.f, 9.f, 0.f, 0.f, 16.f, 16.f}).view({2, 1, 4});
    images.sizes = at::full({2, 2}, 16.f);
    texts = {at::tensor({0, 5, 6, 2, 0, 7, 2, 1}, at::kLong).view({2, 4}),
             at::tensor({1, 1, 1, 1, 1, 1, 1, 0}, at::kByte).to(at::kBool).view({2, 4}),
             {}};
  }
  rc3::Images images;
  rc3::Texts texts;
};

template <class M>
std::vector<at::Tensor> outputs(M& model, const Inputs& in, bool regions = false) {
  const torch::NoGradGuard no_grad;
  auto images = in.images;
  if (regions) images.regions = at::linspace(0, 1, 24).view({2, 1, 12});
  const auto v = model.visual(images);
  const auto x = model.text(in.texts);
  return {model.image_embedding(v), model.text_embedding(x), model.fuse(v, x)};
}

/// Saves, loads and compares: options, every weight, every output, bit for bit.
template <class M>
void round_trip(std::shared_ptr<M> model, const Inputs& in, bool regions = false) {
  if (!tokenizer()) return;
  const TempDir folder;
  {
    const torch::NoGradGuard no_grad;  // no weight at its initial value
    for (auto& [name, t] : rc3::nn::named_state(*model))
      if (t.is_floating_point()) at::Tensor(t).add_(at::rand_like(t) * 0.1);
  }
  model->eval();
  const auto saved = pipeline(model);
  rc3::save(saved, folder / "model/");
  const auto loaded = rc3::load<M>(folder / "model");
  BOOST_TEST(!loaded.model->is_training());
  const auto before = rc3::nn::named_state(*model), after = rc3::nn::named_state(*loaded.model);
  BOOST_TEST_REQUIRE(before.size() == after.size());
  for (const auto& [name, t] : before) BOOST_TEST(at::equal(t, after.at(name)), name);
  const auto expected = outputs(*model, in, regions), found = outputs(*loaded.model, in, regions);
  for (std::size_t i = 0; i < expected.size(); ++i) BOOST_TEST(at::equal(expected[i], found[i]), "output " << i);
  BOOST_TEST(rc3::pipeline::describe(*loaded.model) == rc3::pipeline::describe(*model));
  BOOST_TEST(rc3::config::to_json(loaded.tokenizer.options()) == rc3::config::to_json(saved.tokenizer.options()));
  BOOST_TEST(loaded.tokenizer.encode("ein Hund") == saved.tokenizer.encode("ein Hund"),
             boost::test_tools::per_element());
  BOOST_TEST(rc3::config::to_json(loaded.images) == rc3::config::to_json(saved.images));
  BOOST_TEST(rc3::config::to_json(loaded.card) == rc3::config::to_json(saved.card));
}

BOOST_FIXTURE_TEST_CASE(a_shared_backbone_stays_shared, Inputs) {
  const auto model = shared();
  round_trip(model, *this);
  const auto json = rc3::pipeline::describe(*model);
  BOOST_TEST(json["parts"][0]["parts"][1]["parts"][0] == (Json{{"$ref", "#/parts/0/parts/0/parts/0"}}));
  const auto again = rc3::pipeline::build<Shared>(json, "config.json");
  const auto& both = *again->visual_policy();
  BOOST_TEST(std::get<0>(both.roi()->parts()) == std::get<0>(both.patch()->parts()));
}

BOOST_FIXTURE_TEST_CASE(two_backbones_stay_two, Inputs) {
  const auto model = apart();
  round_trip(model, *this);
  const auto again = rc3::pipeline::build<Apart>(rc3::pipeline::describe(*model), "config.json");
  const auto& both = *again->visual_policy();
  BOOST_TEST(std::get<0>(both.roi()->parts()) != std::get<0>(both.patch()->parts()));
}

BOOST_FIXTURE_TEST_CASE(vision_transformers_come_back, Inputs) { round_trip(towers(), *this); }
BOOST_FIXTURE_TEST_CASE(regions_from_files_come_back, Inputs) { round_trip(regions(), *this, true); }

BOOST_AUTO_TEST_CASE(frozen_blocks_come_back) {
  const auto network = make_shared<backbone::EfficientNetLite0>(
      backbone::EfficientNetLiteOptions{.frozen_blocks = 3, .multi_scale = true});
  const Lite model(patches(network), encoder(), stream(), heads);
  const auto again = rc3::pipeline::build<Lite>(rc3::pipeline::describe(model), "config.json");
  const auto& options = again->visual_policy()->backbone()->options();
  BOOST_TEST(options.frozen_blocks == 3);
  BOOST_TEST(options.multi_scale);
}

BOOST_AUTO_TEST_CASE(the_tokenizer_file_is_that_of_the_source) {
  if (!tokenizer()) return;
  const auto file = cached("weights/multilingual-e5-small/sentencepiece.bpe.model");
  BOOST_TEST((tokenizer()->files().at("sentencepiece.bpe.model") == rc3::io::read_file(file, 1 << 26)));
}

BOOST_AUTO_TEST_CASE(the_card_is_markdown) {
  if (!tokenizer()) return;
  const TempDir folder;
  rc3::save(pipeline(regions()), folder / "m");
  const auto card = rc3::io::read_file(folder / "m/README.md", 1 << 20);
  for (const char* part :
       {"license: \"MIT\"\n", "- \"sw\"\n", "# A \\| test\n", "Model<visual::Roi, text::TransformerEncoder",
        "| read, en | 12.25 | 50.00 |\n", "| sw |  | 7.00 |\n", "| network | Apache-2.0 |"})
    BOOST_TEST((card.find(part) != std::string::npos), part << " is not in\n" << card);
}

/// A saved model, and changes of its files.
struct Saved : Inputs {
  Saved() {
    if (!tokenizer()) return;
    rc3::save(pipeline(regions()), path);
    ready = true;
  }
  void change(const std::function<void(Json&)>& edit) const {
    const auto file = path / "config.json";
    auto json = Json::parse(rc3::io::read_file(file, 1 << 20));
    edit(json);
    rc3::io::write_file(file, json.dump());
  }
  template <class... Parts>
  void refused(const std::function<void(Json&)>& edit, const Parts&... parts) const {
    const auto before = rc3::io::read_file(path / "config.json", 1 << 20);
    change(edit);
    throws_with([&] { rc3::load<Regions>(path); }, (path / "config.json").string(), parts...);
    rc3::io::write_file(path / "config.json", before);
  }

  TempDir folder;
  std::filesystem::path path = folder / "model";
  bool ready = false;
};

BOOST_FIXTURE_TEST_CASE(wrong_configurations_are_refused, Saved) {
  if (!ready) return;
  refused([](Json& j) { j["format"] = "other"; }, "is no \"rc3.model\"");
  refused([](Json& j) { j["version"] = 2; }, "is of version 2, this rc3 reads up to 1; use a newer rc3");
  refused([](Json& j) { j.erase("images"); }, "the key \"images\" is missing");
  refused([](Json& j) { j["more"] = 1; }, "the key \"more\" is unknown");
  const auto options = [](Json& j) -> Json& { return j["architecture"]["parts"][1]["options"]; };
  refused([&](Json& j) { options(j)["headz"] = 1; }, "architecture/parts/1/options", "did you mean \"heads\"?");
  refused([&](Json& j) { options(j).erase("heads"); }, "architecture/parts/1/options: the option \"heads\" is missing");
  refused([&](Json& j) { options(j)["dropout"] = 1.5; }, "\"dropout\" must be in [0, 1), is 1.5");
  refused([&](Json& j) { options(j)["width"] = std::int64_t{1} << 60; }, "no model of this architecture can be made");
  refused([&](Json& j) { j["architecture"]["parts"][1]["type"] = "text::Bert"; }, "architecture/parts/1",
          "is of the type text::Bert, the program's is text::TransformerEncoder");
  refused(
      [&](Json& j) {
        j["architecture"]["parts"][2] = {{"$ref", "#/parts/1"}};
      },
      "architecture/parts/2", "refers to #/parts/1, which is no earlier part of the type fusion::SingleStream");
  refused([&](Json& j) { j["architecture"]["parts"].erase(2); }, "\"parts\" must be an array of 3");
  refused([&](Json& j) { j["tokenizer"]["options"].erase("prefix"); }, "tokenizer: the option \"prefix\" is missing");
  refused([&](Json& j) { j["images"]["resample"] = "nearest"; }, "\"resample\" must be one of");
  refused([&](Json& j) { j["files"]["../x"] = {{"size", 1}, {"crc32c", 1}}; }, "is no file in the directory");
}

BOOST_FIXTURE_TEST_CASE(options_that_change_no_shape_are_kept, Saved) {
  if (!ready) return;
  const auto one = outputs(*rc3::load<Regions>(path).model, *this, true);
  change([](Json& j) { j["architecture"]["parts"][1]["options"]["heads"] = 2; });
  const auto other = outputs(*rc3::load<Regions>(path).model, *this, true);
  BOOST_TEST(!at::equal(one[1], other[1]));  // heads are read from the file, not from the program
}

BOOST_FIXTURE_TEST_CASE(damaged_files_are_refused, Saved) {
  if (!ready) return;
  const auto weights = (path / "model.safetensors").string();
  const auto whole = rc3::io::read_file(weights, 1 << 26);
  auto flipped = whole;
  flipped[flipped.size() - 5] ^= 1;
  rc3::io::write_file(weights, flipped);
  throws_with([&] { rc3::load<Regions>(path); }, weights, "damaged", "config.json");
  rc3::io::write_file(weights, whole.substr(0, whole.size() - 8));
  throws_with([&] { rc3::load<Regions>(path); }, weights, "config.json says");
  std::filesystem::remove(weights);
  throws_with([&] { rc3::load<Regions>(path); }, weights, "cannot open");
}

BOOST_FIXTURE_TEST_CASE(other_tensors_are_refused, Saved) {
  if (!ready) return;
  const auto weights = path / "model.safetensors";
  const auto tensors = rc3::io::safetensors::load(weights);
  const auto with = [&](const std::function<void(rc3::StateDict&)>& edit, const char* expected) {
    auto changed = tensors;
    edit(changed);
    rc3::io::safetensors::save(weights, changed);
    const auto bytes = rc3::io::read_file(weights, 1 << 26);
    change([&](Json& j) {
      j["files"]["model.safetensors"] = {{"size", bytes.size()}, {"crc32c", rc3::io::crc32c(bytes)}};
    });
    throws_with([&] { rc3::load<Regions>(path); }, weights.string(), expected);
  };
  with([](rc3::StateDict& s) { s.erase("text_head.bias"); }, "\"text_head.bias\" is missing");
  with([](rc3::StateDict& s) { s["more"] = at::zeros({2}); }, "\"more\" has no place in the model");
  with([](rc3::StateDict& s) { s["text_head.bias"] = at::zeros({2}); }, "\"text_head.bias\" is Float [2]");
}

BOOST_FIXTURE_TEST_CASE(another_variant_names_both_types, Saved) {
  if (!ready) return;
  const auto message = message_of([&] { rc3::load<Shared>(path); });
  BOOST_TEST(message ==
             path.string() + ": holds a " + Regions::name() + ", and the program asks for a " + Shared::name());
}

BOOST_FIXTURE_TEST_CASE(load_any_chooses_by_the_file, Saved) {
  if (!ready) return;
  const auto any = rc3::load_any<Shared, Regions>(path);
  BOOST_TEST_REQUIRE(any.index() == 1u);
  BOOST_TEST(at::equal(outputs(*std::get<1>(any).model, *this, true)[2],
                       outputs(*rc3::load<Regions>(path).model, *this, true)[2]));
  throws_with([&] { rc3::load_any<Shared, Towers>(path); },
              "holds a " + Regions::name() + "; this program has:", "\n  " + Shared::name(), "\n  " + Towers::name());
}

BOOST_FIXTURE_TEST_CASE(weights_alone_are_refused_with_what_to_do, Saved) {
  if (!ready) return;
  const auto bare = folder / "bare";
  std::filesystem::create_directory(bare);
  std::filesystem::copy(path / "model.safetensors", bare / "model.safetensors");
  for (const auto& p : {bare, bare / "model.safetensors"})
    throws_with([&] { rc3::load<Regions>(p); }, p.string(), "has weights alone",
                "--init " + (bare / "model.safetensors").string(), "rc3::save");
  throws_with([&] { rc3::load<Regions>(folder / "none"); }, "there is no such directory");
  throws_with([&] { rc3::load<Regions>(folder.path()); }, "is no model directory: it has no config.json");
}

BOOST_FIXTURE_TEST_CASE(only_model_directories_are_replaced, Saved) {
  if (!ready) return;
  const auto p = pipeline(regions());
  rc3::save(p, path);  // again
  BOOST_TEST(!std::filesystem::exists(folder / "model.tmp"));
  rc3::io::write_file(path / "photo.jpg", "x");
  throws_with([&] { rc3::save(p, path); }, path.string(), "photo.jpg");
  BOOST_TEST(std::filesystem::exists(path / "photo.jpg"));
  std::filesystem::create_directory(folder / "photos");
  rc3::io::write_file(folder / "photos/a.jpg", "x");
  throws_with([&] { rc3::save(p, folder / "photos"); }, "exists and is no model directory");
  BOOST_TEST(std::filesystem::exists(folder / "photos/a.jpg"));
  throws_with(
      [&] {
        rc3::save(rc3::Pipeline<Regions>{nullptr, *tokenizer(), p.images}, folder / "n");
      },
      "without a model");
}

/// A disk that is full after so many calls of write.
struct Full : rc3::io::System {
  int left;
  explicit Full(int writes) : left(writes) {}
  ssize_t write(int file, const void* data, std::size_t size) {
    if (left-- > 0) return System::write(file, data, size);
    errno = ENOSPC;
    return -1;
  }
};

BOOST_FIXTURE_TEST_CASE(a_full_disk_leaves_the_old_directory, Saved) {
  if (!ready) return;
  const auto before = rc3::nn::named_state(*rc3::load<Regions>(path).model);
  int failed = 0;
  for (int writes = 0;; ++writes) {
    Full disk(writes);
    try {
      rc3::pipeline::save(pipeline(regions()), path, disk);
      break;
    } catch (const rc3::Error& error) {
      BOOST_TEST((std::string(error.what()).find("No space left") != std::string::npos));
      ++failed;
    }
    BOOST_TEST_REQUIRE(!std::filesystem::exists(folder / "model.tmp"));
    if (writes % 10 != 0) continue;
    for (const auto& [name, t] : rc3::nn::named_state(*rc3::load<Regions>(path).model))
      BOOST_TEST_REQUIRE(at::equal(t, before.at(name)));
  }
  at_least("writes that may fail", failed, 10);
  const auto after = rc3::nn::named_state(*rc3::load<Regions>(path).model);
  BOOST_TEST(!at::equal(after.at("text_head.weight"), before.at("text_head.weight")));
}

BOOST_AUTO_TEST_SUITE_END()
