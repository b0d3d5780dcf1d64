#include "rc3/visual/backbone/clip_vision.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "rc3/visual/roi_from_backbone.hpp"
#include "visual/pretrained_fixture.hpp"

BOOST_AUTO_TEST_SUITE(backbone_clip_vision)

using namespace rc3::test;
using rc3::visual::RoiFromBackbone;
using rc3::visual::backbone::ClipVision;
using rc3::visual::backbone::ClipVisionOptions;

std::shared_ptr<ClipVision> random_clip(std::int64_t projection = 5) {
  ClipVisionOptions o;
  o.width = 8;
  o.layers = 2;
  o.heads = 2;
  o.feed_forward = 12;
  o.image_size = 8;
  o.patch_size = 4;
  o.projection = projection;
  torch::manual_seed(5);
  auto clip = std::make_shared<ClipVision>(o);
  clip->eval();
  return clip;
}

/// What a whole CLIP's directory has more than its vision half.
void make_whole(const std::filesystem::path& folder) {
  edit_json(folder / "config.json", [](nlohmann::json& json) {
    auto vision = json;
    vision["projection_dim"] = 512;  // as transformers writes it, whatever the real one is
    json = {{"model_type", "clip"}, {"projection_dim", 5}, {"vision_config", vision}};
  });
  std::map<std::string, at::Tensor> tensors;
  const rc3::io::Weights weights(folder);
  for (const auto& [name, reader] : weights.readers()) tensors.emplace(name, reader->read(name).clone());
  for (const char* name : {"text_model.embeddings.token_embedding.weight", "text_projection.weight", "logit_scale"})
    tensors.emplace(name, at::ones({2, 2}));
  rc3::io::safetensors::save(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

BOOST_AUTO_TEST_CASE(the_vector_is_the_projected_class_token) {
  const torch::NoGradGuard no_grad;
  const auto clip = random_clip();
  const auto images = random_images(8, 12);
  const auto hidden = clip->last_hidden(images);
  BOOST_TEST((hidden.sizes() == at::IntArrayRef{2, 7, 8}));
  BOOST_TEST((clip->features(images).sizes() == at::IntArrayRef{2, 8, 2, 3}));
  BOOST_TEST((clip->pooled(images).sizes() == at::IntArrayRef{2, 5}));
  const auto first = at::layer_norm(hidden.select(1, 0), {8}, {}, {}, 1e-5);
  at_most("ClipVision: pooled by hand",
          max_difference(clip->pooled(images), first.matmul(clip->named_parameters()["projection.weight"].t())), 1e-6);
  const auto bare = random_clip(0);
  BOOST_TEST(bare->pooled_width() == 8);
  at_most("ClipVision: pooled without projection", max_difference(bare->pooled(images), first), 1e-5);
}

BOOST_AUTO_TEST_CASE(freezing_takes_the_norm_before_the_layers_along) {
  const auto clip = random_clip();
  clip->freeze_blocks(1);
  using Names = std::set<std::string>;
  BOOST_TEST((learning(*clip) == Names{"layers.1", "norm.weight", "norm.bias", "projection.weight"}));
}

BOOST_AUTO_TEST_CASE(regions_of_a_clip) {
  const torch::NoGradGuard no_grad;
  const auto clip = random_clip();
  RoiFromBackbone<ClipVision> roi(clip, {.width = 6, .grid = 2});
  roi.eval();
  auto images = random_images(8, 12);
  images.boxes = at::tensor({0.f, 0.f, 12.f, 8.f, 2.f, 1.f, 7.f, 8.f}).view({1, 2, 4}).expand({2, 2, 4}).contiguous();
  images.sizes = at::tensor({12.f, 8.f}).expand({2, 2}).contiguous();
  const auto tokens = roi.encode(images);
  BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 2, 6}));
  BOOST_TEST(finite(tokens.values));
  BOOST_TEST(roi.encode_map(clip->features(images), images).values.equal(tokens.values));
}

BOOST_AUTO_TEST_CASE(directories_with_and_without_the_other_half) {
  const torch::NoGradGuard no_grad;
  const auto images = random_images(8, 12);
  for (const std::int64_t projection : {0, 5}) {
    const auto clip = random_clip(projection);
    const TempDir folder;
    clip->save_pretrained(folder.path());
    const auto same = [&] {
      const auto again = ClipVision::from_pretrained(folder.path());
      BOOST_TEST(again->last_hidden(images).equal(clip->last_hidden(images)));
      BOOST_TEST(again->pooled(images).equal(clip->pooled(images)));
      BOOST_TEST(again->options().to_config() == clip->options().to_config());
    };
    same();
    make_whole(folder.path());
    same();
    rename_weights(folder.path(), [](std::string name) {  // as transformers 5 writes the vision model alone
      return name.starts_with("vision_model.") ? name.substr(13) : name;
    });
    same();
  }
}

BOOST_AUTO_TEST_CASE(directories_that_are_refused) {
  const TempDir folder;
  const auto load = [&] { ClipVision::from_pretrained(folder.path()); };
  random_clip()->save_pretrained(folder.path());
  edit_json(folder / "config.json", [](auto& json) { json.erase("projection_dim"); });
  throws_with(load, "config.json", "\"projection_dim\" is missing", "visual_projection.weight");
  random_clip()->save_pretrained(folder.path());
  edit_json(folder / "config.json", [](auto& json) { json["model_type"] = "clip"; });
  throws_with(load, "config.json", "\"vision_config\" is missing");
  edit_json(folder / "config.json", [](auto& json) { json["model_type"] = "siglip"; });
  throws_with(load, "config.json", "\"siglip\"", "\"clip_vision_model\", \"clip\"");
  random_clip()->save_pretrained(folder.path());
  make_whole(folder.path());
  misses_each(folder.path(), "vision_config", {"hidden_size", "layer_norm_eps", "hidden_act", "patch_size"}, load);
  rename_weights(folder.path(),
                 [](std::string name) { return name == "vision_model.pre_layrnorm.weight" ? "" : name; });
  throws_with(load, "missing 1 (pre_norm.weight)", "unused 0 (");
}

BOOST_AUTO_TEST_SUITE_END()
