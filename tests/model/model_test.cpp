#include "rc3/model/model.hpp"

#include <boost/test/unit_test.hpp>

#include "model/counting.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/visual/visual.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(model)

using namespace rc3::test;
using namespace rc3::test::counting;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(calibration_takes_out_what_all_images_share) {
  const torch::NoGradGuard no_grad;
  const auto model = small();
  model->eval();
  torch::manual_seed(3);
  const rc3::Tokens tokens{at::randn({7, 3, 8}) + 1.0, at::ones({7, 3}, at::kBool)};
  model->calibrate_images(tokens);
  // Mean and maximum over the tokens, 16 numbers an image, are what is standardised.
  const auto pooled = at::cat({tokens.values.mean(1), std::get<0>(tokens.values.max(1))}, 1);
  const auto buffers = model->named_buffers();
  at_most("image_center against the mean", max_difference(buffers["image_center"], pooled.mean(0)), 1e-6);
  at_most("image_scale against the deviation", max_difference(buffers["image_scale"], pooled.std(0)), 1e-6);

  // So a channel's unit and origin do not matter: the same vectors come out, which without calibration they do not.
  const auto before = model->image_embedding(tokens);
  const auto unit = at::linspace(0.5, 4.0, 8);
  const rc3::Tokens other{tokens.values * unit + 3 * unit, tokens.mask};
  at_least("other units, old calibration", max_difference(model->image_embedding(other), before), 0.05);
  model->calibrate_images(other);
  at_most("other units, calibrated anew", max_difference(model->image_embedding(other), before), 1e-4);
  throws_with(
      [&] {
        model->calibrate_images({tokens.values.narrow(0, 0, 1), tokens.mask.narrow(0, 0, 1)});
      },
      "calibrate_images", "two images");
}

BOOST_AUTO_TEST_CASE(a_variant_says_its_name) {
  BOOST_TEST(Model::name() == "Model<user::Visual, user::Text, fusion::SingleStream>");
}

BOOST_AUTO_TEST_CASE(widths_must_agree) {
  const auto build = [](std::int64_t v, std::int64_t t, std::int64_t f) {
    return [=] { Model(std::make_shared<user::Visual>(v), std::make_shared<user::Text>(t), fusion(f)); };
  };
  throws_with(build(10, 8, 8), "rc3::Model", "visual tokens are 10", "text tokens 8", "wants 8");
  throws_with(build(8, 10, 8), "rc3::Model", "text tokens 10");
  throws_with(build(8, 8, 10), "rc3::Model", "wants 10");
  throws_with([] { small({.embedding = 0}); }, "rc3::Model", "embedding");
}

BOOST_AUTO_TEST_CASE(vectors_are_of_length_one_and_masked_tokens_do_not_count) {
  const auto m = small();
  m->eval();
  auto batch = four();
  batch.images.region_mask[1][2] = false;
  const auto visual = m->visual(batch.images);
  const auto vectors = m->image_embedding(visual);
  BOOST_TEST((vectors.sizes() == at::IntArrayRef{4, 6}));
  at_most("length of image vectors, from 1", (vectors.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  at_most("length of text vectors, from 1",
          (m->text_embedding(m->text(batch.a)).norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  for (const double garbage : {50.0, -50.0}) {
    const rc3::Tokens other{visual.values.masked_fill(~visual.mask.unsqueeze(2), garbage), visual.mask};
    at_most("image vector with other values outside the mask", max_difference(m->image_embedding(other), vectors),
            1e-6);
  }
  const rc3::Tokens nothing{visual.values, at::zeros_like(visual.mask)};
  BOOST_TEST(finite(m->image_embedding(nothing)));
}

BOOST_AUTO_TEST_CASE(text_vectors_begin_as_the_encoders_own_centered) {
  const auto m = small({.embedding = 8, .hidden = 16});
  m->eval();
  const auto batch = four();
  const auto pooled = m->text_policy()->pool(m->text(batch.a)).detach();
  at_most("text vector before calibration",
          max_difference(m->text_embedding(m->text(batch.a)), pooled / pooled.norm(2, 1, true)), 1e-6);
  m->calibrate_texts(pooled);
  const auto centered = pooled - pooled.mean(0);
  at_most("text vector after it",
          max_difference(m->text_embedding(m->text(batch.a)), centered / centered.norm(2, 1, true)), 1e-5);
  throws_with([&] { m->calibrate_texts(pooled.slice(0, 0, 1)); }, "rc3::Model", "two texts");
  throws_with([&] { m->calibrate_texts(at::zeros({3, 7})); }, "rc3::Model", "pooled", "D=8");
}

BOOST_AUTO_TEST_CASE(shared_parameters_are_listed_once) {
  using rc3::visual::backbone::LinearPatches;
  const auto backbone = std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{6, 8});
  using R = rc3::visual::RoiFromBackbone<LinearPatches>;
  using P = rc3::visual::Patch<LinearPatches>;
  const auto both = std::make_shared<rc3::visual::Both<R, P>>(
      std::make_shared<R>(backbone, rc3::visual::RoiFromBackboneOptions{.width = 8}),
      std::make_shared<P>(backbone, rc3::visual::PatchOptions{.width = 8, .grid = 2}));
  const rc3::Model<rc3::visual::Both<R, P>, user::Text, rc3::fusion::SingleStream> m(
      both, std::make_shared<user::Text>(), fusion());
  const auto state = rc3::nn::named_state(m);
  std::vector<std::string> weights;
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : state) {
    if (name.ends_with("projection.weight")) weights.push_back(name);
    if (tensor.requires_grad()) numbers += tensor.numel();
  }
  BOOST_TEST((weights == std::vector<std::string>{"visual.roi.backbone.projection.weight"}));
  BOOST_TEST(rc3::nn::count_parameters(m).total == numbers);
  BOOST_TEST(rc3::nn::count_parameters(m).trainable == numbers);
  rc3::nn::freeze(*backbone);
  BOOST_TEST(rc3::nn::count_parameters(m).trainable == numbers - (6 * 3 * 8 * 8 + 6));
  BOOST_TEST(rc3::nn::count_parameters(m).total == numbers);
}

BOOST_AUTO_TEST_SUITE_END()
