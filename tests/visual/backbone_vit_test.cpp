#include "rc3/visual/backbone/vit.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/visual/patch.hpp"
#include "visual/pretrained_fixture.hpp"

BOOST_AUTO_TEST_SUITE(backbone_vit)

using namespace rc3::test;
using rc3::Images;
using rc3::visual::Patch;
using rc3::visual::backbone::Vit;
using rc3::visual::backbone::VitOptions;

VitOptions tiny(std::int64_t pooler = 0) {
  VitOptions o;
  o.width = 8;
  o.layers = 2;
  o.heads = 2;
  o.feed_forward = 12;
  o.image_size = 12;
  o.patch_size = 4;
  o.pooler = pooler;
  return o;
}

std::shared_ptr<Vit> random_vit(const VitOptions& options = tiny()) {
  torch::manual_seed(3);
  auto vit = std::make_shared<Vit>(options);
  vit->eval();
  return vit;
}

BOOST_AUTO_TEST_CASE(the_map_is_the_patches_where_they_lie) {
  const torch::NoGradGuard no_grad;
  const auto vit = random_vit();
  const auto images = random_images(12, 20);
  const auto map = vit->features(images), hidden = vit->last_hidden(images);
  BOOST_TEST((map.sizes() == at::IntArrayRef{2, 8, 3, 5}));
  BOOST_TEST((hidden.sizes() == at::IntArrayRef{2, 16, 8}));
  BOOST_TEST(map.select(2, 1).select(2, 4).equal(hidden.select(1, 1 + 1 * 5 + 4)));
  BOOST_TEST(vit->channels() == 8);
  BOOST_TEST(vit->pooled(images).equal(hidden.select(1, 0)));
  BOOST_TEST(vit->features(images_of(images.pixels.to(at::kFloat))).equal(map));
}

BOOST_AUTO_TEST_CASE(positions_of_another_size_are_stretched) {
  const torch::NoGradGuard no_grad;
  const auto vit = random_vit();
  for (auto& item : vit->named_parameters())
    if (item.key() != "position") item.value().zero_();  // nothing is left but the positions
  auto rows = at::zeros({1, 10, 8});
  rows.slice(1, 1).copy_((at::arange(9) / 3).floor().view({1, 9, 1}).expand({1, 9, 8}));  // each patch: its row
  vit->named_parameters()["position"].copy_(rows);
  vit->named_parameters()["norm.weight"].fill_(1);
  // A norm takes away what is the same in all numbers of a token: let one stand out, by as much as the row says.
  auto position = vit->named_parameters()["position"];
  position.slice(2, 1).zero_();
  const auto learned = vit->features(random_images(12, 12));
  const auto wider = vit->features(random_images(12, 24));
  for (std::int64_t row = 0; row < 3; ++row)
    at_most("a wider image, positions of one row",
            max_difference(wider.select(2, row), learned.select(2, row).slice(2, 0, 1).expand({2, 8, 6})), 1e-5);
  // The same number of patches in another form: the learned positions do not fit as they are.
  BOOST_TEST(max_difference(vit->features(random_images(4, 36)).flatten(2), learned.flatten(2)) > 0.1);
}

BOOST_AUTO_TEST_CASE(images_that_are_refused) {
  const auto vit = random_vit();
  const std::string name = "visual::backbone::Vit";
  throws_with([&] { vit->features({}); }, name, "pixels", "missing");
  throws_with([&] { vit->features(random_images(12, 14)); }, name, "14 x 12", "patches of 4", "resize", "12 x 12");
  throws_with([&] { vit->features(random_images(10, 12)); }, name, "12 x 10");
  throws_with([&] { vit->features(random_images(0, 12)); }, name, "12 x 0");
  throws_with(
      [&] {
        vit->features(images_of(at::zeros({1, 12, 12, 3}, at::kByte)));
      },
      name, "[B, 3, H, W]", "[1, 12, 12, 3]");
  throws_with([&] { vit->features(images_of(at::zeros({1, 3, 12, 12}, at::kLong))); }, name, "uint8", "Long");
  auto options = tiny();
  options.heads = 3;
  throws_with([&] { Vit{options}; }, "8", "heads 3");
  options = tiny();
  options.patch_size = 13;
  throws_with([&] { Vit{options}; }, name, "image_size 12", "patch_size 13");
}

BOOST_AUTO_TEST_CASE(the_trained_size_need_not_divide) {
  const torch::NoGradGuard no_grad;
  auto options = tiny();
  options.image_size = 14;
  const auto vit = random_vit(options);
  auto images = random_images(14, 14);
  const auto map = vit->features(images);
  BOOST_TEST((map.sizes() == at::IntArrayRef{2, 8, 3, 3}));
  images.pixels.slice(2, 12).zero_();
  BOOST_TEST(vit->features(images).equal(map));
  throws_with([&] { vit->features(random_images(14, 13)); }, "13 x 14");
}

BOOST_AUTO_TEST_CASE(freezing_starts_at_the_pixels) {
  const auto vit = random_vit(tiny(5));
  using Names = std::set<std::string>;
  const Names all{"class_token", "position",    "patch.weight", "patch.bias",    "layers.0",
                  "layers.1",    "norm.weight", "norm.bias",    "pooler.weight", "pooler.bias"};
  BOOST_TEST((learning(*vit) == all));
  vit->freeze_blocks(1);
  BOOST_TEST((learning(*vit) == Names{"layers.1", "norm.weight", "norm.bias", "pooler.weight", "pooler.bias"}));
  vit->pooled(random_images(12, 12)).square().sum().backward();
  for (const auto& item : vit->named_parameters())
    BOOST_TEST(item.value().grad().defined() == item.value().requires_grad(), item.key());
  vit->freeze_blocks(2);
  BOOST_TEST(learning(*vit).empty());
  vit->freeze_blocks(0);
  BOOST_TEST(
      (learning(*vit) == Names{"layers.0", "layers.1", "norm.weight", "norm.bias", "pooler.weight", "pooler.bias"}));
  throws_with([&] { vit->freeze_blocks(3); }, "visual::backbone::Vit", "freeze_blocks(3)", "2 layers");
  throws_with([&] { vit->freeze_blocks(-1); }, "freeze_blocks(-1)");
}

BOOST_AUTO_TEST_CASE(dropout_is_for_training_only) {
  auto options = tiny();
  options.dropout = 0.5;
  const auto vit = random_vit(options);
  const auto images = random_images(12, 12);
  BOOST_TEST(vit->features(images).equal(vit->features(images)));
  vit->train();
  BOOST_TEST(!vit->features(images).equal(vit->features(images)));
}

BOOST_AUTO_TEST_CASE(patches_of_a_vit) {
  const auto vit = random_vit();
  Patch<Vit> patch(vit, {.width = 6, .grid = 3});
  patch.eval();
  const auto images = random_images(12, 20);
  const auto tokens = patch.encode(images);
  BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 15, 6}));
  BOOST_TEST(tokens.mask.all().item<bool>());
  BOOST_TEST((tokens.summary.sizes() == at::IntArrayRef{2, 16}));
  BOOST_TEST(tokens.summary.slice(1, 0, 8).equal(vit->features(images).mean({2, 3})));
  tokens.values.square().sum().backward();
  BOOST_TEST(vit->named_parameters()["patch.weight"].grad().abs().max().item<float>() > 0);
}

// ------------------------------------------------------------------------------ directories

BOOST_AUTO_TEST_CASE(a_directory_gives_the_same_model) {
  const torch::NoGradGuard no_grad;
  for (const std::int64_t pooler : {0, 5}) {
    const TempDir folder;
    auto options = tiny(pooler);
    options.norm_eps = 0.25;
    options.activation = rc3::nn::Activation::quick_gelu;
    options.pixels = {{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 1 / 128.0};
    const auto vit = random_vit(options);
    vit->save_pretrained(folder.path());
    const auto again = Vit::from_pretrained(folder.path());
    const auto images = random_images(12, 16);
    BOOST_TEST(again->last_hidden(images).equal(vit->last_hidden(images)));
    BOOST_TEST(again->pooled(images).equal(vit->pooled(images)));
    BOOST_TEST(again->pooled_width() == (pooler > 0 ? 5 : 8));
    BOOST_TEST(again->options().to_config() == vit->options().to_config());
  }
}

BOOST_AUTO_TEST_CASE(directories_that_are_refused) {
  const TempDir folder;
  const auto load = [&] { Vit::from_pretrained(folder.path()); };
  const auto config = folder / "config.json";
  throws_with(load, "config.json");
  random_vit()->save_pretrained(folder.path());
  const auto good = rc3::io::read_json(config);
  misses_each(folder.path(), "",
              {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size",
               "patch_size", "num_channels", "hidden_act", "layer_norm_eps"},
              load);
  const auto with = [&](const char* key, const nlohmann::json& value, const auto&... parts) {
    edit_json(config, [&](auto& json) { json[key] = value; });
    throws_with(load, "config.json", key, parts...);
    rc3::io::write_file(config, good.dump());
  };
  with("model_type", "deit", "\"deit\"", "\"vit\"");
  with("hidden_act", "relu", "\"relu\"", "gelu_pytorch_tanh");
  with("layer_norm_eps", 0, "above 0");
  with("num_channels", 4, "only 3");
  with("qkv_bias", false);
  with("pooler_act", "relu", "only tanh");
  with("image_size", {12, 12}, "integer");
  with("hidden_size", 0, "1 to");
  with("hidden_dropout_prob", 1, "[0, 1)");
  edit_json(config, [](auto& json) { json["hidden_size"] = 10; });
  throws_with(load, "embeddings.cls_token", "[1, 1, 8]", "[1, 1, 10]");
  edit_json(config, [](auto& json) { json.erase("model_type"), json["hidden_size"] = 8; });
  throws_with(load, "\"model_type\" is missing");
}

BOOST_AUTO_TEST_CASE(weights_that_are_missing_or_unknown) {
  const torch::NoGradGuard no_grad;
  const TempDir folder;
  const auto load = [&] { return Vit::from_pretrained(folder.path()); };
  const auto vit = random_vit();
  vit->save_pretrained(folder.path());
  rename_weights(folder.path(), [](std::string name) { return name == "layernorm.bias" ? "" : name; });
  throws_with(load, "missing", "norm.bias");
  vit->save_pretrained(folder.path());
  rename_weights(folder.path(),
                 [](std::string name) { return name == "layernorm.bias" ? "layers.0.mlp.fc3.bias" : name; });
  throws_with(load, "missing", "norm.bias", "unused", "layers.0.mlp.fc3.bias");
  // With the prefix of a classifier, whose head is not read.
  vit->save_pretrained(folder.path());
  rename_weights(folder.path(), [](std::string name) { return "vit." + name; });
  const auto images = random_images(12, 12);
  BOOST_TEST(load()->last_hidden(images).equal(vit->last_hidden(images)));
  rename_weights(folder.path(),
                 [](std::string name) { return name == "vit.layernorm.bias" ? "classifier.bias" : name; });
  throws_with(load, "missing 1 (norm.bias)", "unused 0 (");
}

BOOST_AUTO_TEST_SUITE_END()
