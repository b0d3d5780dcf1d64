#include "rc3/visual/backbone/siglip_vision.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "visual/pretrained_fixture.hpp"

BOOST_AUTO_TEST_SUITE(backbone_siglip_vision)

using namespace rc3::test;
using rc3::visual::backbone::SiglipVision;
using rc3::visual::backbone::SiglipVisionOptions;

std::shared_ptr<SiglipVision> random_siglip(bool head = true) {
  SiglipVisionOptions o;
  o.width = 6;
  o.layers = 2;
  o.heads = 2;
  o.feed_forward = 10;
  o.image_size = 8;
  o.patch_size = 4;
  o.head = head;
  torch::manual_seed(7);
  auto siglip = std::make_shared<SiglipVision>(o);
  siglip->eval();
  return siglip;
}

BOOST_AUTO_TEST_CASE(there_is_no_class_token) {
  const torch::NoGradGuard no_grad;
  const auto siglip = random_siglip();
  const auto images = random_images(8, 12);
  const auto hidden = siglip->last_hidden(images);
  BOOST_TEST((hidden.sizes() == at::IntArrayRef{2, 6, 6}));
  BOOST_TEST(siglip->features(images).flatten(2).transpose(1, 2).equal(hidden));
  BOOST_TEST((siglip->pooled(images).sizes() == at::IntArrayRef{2, 6}));
  BOOST_TEST(siglip->pooled_width() == 6);
}

BOOST_AUTO_TEST_CASE(the_head_does_not_care_where_a_patch_is) {
  const torch::NoGradGuard no_grad;
  const auto siglip = random_siglip();
  const auto hidden = at::randn({2, 6, 6});
  at_most("SiglipVision: pooled, patches in reverse",
          max_difference(siglip->pool(hidden), siglip->pool(hidden.flip(1))), 1e-6);
  const auto same = siglip->pool(hidden.slice(1, 0, 1).expand({2, 4, 6}));  // attention on equal patches: that patch
  at_most("SiglipVision: pooled, four equal patches", max_difference(same, siglip->pool(hidden.slice(1, 0, 1))), 1e-6);
}

BOOST_AUTO_TEST_CASE(freezing_and_the_head) {
  const auto siglip = random_siglip();
  siglip->freeze_blocks(1);
  using Names = std::set<std::string>;
  const Names head{"head.probe",
                   "head.in_projection_weight",
                   "head.in_projection_bias",
                   "head.out_projection",
                   "head.norm",
                   "head.inner",
                   "head.output"};
  Names expected = head;
  expected.insert({"layers.1", "norm.weight", "norm.bias"});
  BOOST_TEST((learning(*siglip) == expected));
  siglip->pooled(random_images(8, 8)).square().sum().backward();
  for (const auto& item : siglip->named_parameters())
    BOOST_TEST(item.value().grad().defined() == item.value().requires_grad(), item.key());
}

BOOST_AUTO_TEST_CASE(directories_with_and_without_a_head) {
  const torch::NoGradGuard no_grad;
  const auto images = random_images(8, 12);
  for (const bool head : {true, false}) {
    const TempDir folder;
    const auto siglip = random_siglip(head);
    siglip->save_pretrained(folder.path());
    const auto again = SiglipVision::from_pretrained(folder.path());
    BOOST_TEST(again->last_hidden(images).equal(siglip->last_hidden(images)));
    BOOST_TEST(again->options().to_config() == siglip->options().to_config());
    if (head)
      BOOST_TEST(again->pooled(images).equal(siglip->pooled(images)));
    else
      throws_with([&] { again->pooled(images); }, "visual::backbone::SiglipVision", "no head");
    // What config.json says of the head and what the weights have must be the same.
    edit_json(folder / "config.json", [&](auto& json) { json["vision_use_head"] = !head; });
    throws_with([&] { SiglipVision::from_pretrained(folder.path()); }, "head.", head ? "missing 0 (" : "missing 11 (");
  }
}

BOOST_AUTO_TEST_CASE(directories_that_are_refused) {
  const TempDir folder;
  const auto load = [&] { SiglipVision::from_pretrained(folder.path()); };
  random_siglip()->save_pretrained(folder.path());
  misses_each(folder.path(), "", {"hidden_size", "layer_norm_eps", "hidden_act", "image_size"}, load);
  edit_json(folder / "config.json", [](auto& json) { json["model_type"] = "siglip2"; });
  throws_with(load, "config.json", "\"siglip2\"", "\"siglip_vision_model\", \"siglip\"");
  // As the checkpoints have it that an older transformers wrote.
  edit_json(folder / "config.json", [](auto& json) {
    json = {{"model_type", "siglip"}, {"vision_config", {{"model_type", "siglip_vision_model"}}}};
  });
  throws_with(load, "config.json", "vision_config", "\"hidden_size\" is missing", "transformers 5");
}

BOOST_AUTO_TEST_SUITE_END()
