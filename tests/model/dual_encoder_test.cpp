#include "rc3/model/dual_encoder.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/sigmoid_itc.hpp"
#include "support/small_towers.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(model_dual_encoder)

using namespace rc3::test;
using rc3::Batch;
using rc3::Clip;
using rc3::DualEncoderOptions;
using rc3::Images;
using rc3::Siglip;
using rc3::Texts;

std::shared_ptr<Siglip> siglip(DualEncoderOptions options = {.scale = 10, .bias = -10, .has_bias = true}) {
  torch::manual_seed(4);
  return std::make_shared<Siglip>(
      std::make_shared<rc3::visual::backbone::SiglipVision>(small(rc3::visual::backbone::SiglipVisionOptions())),
      std::make_shared<rc3::text::SiglipText>(small(rc3::text::SiglipTextOptions())), options);
}

std::shared_ptr<Clip> clip(std::int64_t projection = 16) {
  torch::manual_seed(4);
  auto vision = small(rc3::visual::backbone::ClipVisionOptions());
  vision.projection = projection;
  auto text = small(rc3::text::ClipTextOptions());
  text.eos = 29;
  return std::make_shared<Clip>(std::make_shared<rc3::visual::backbone::ClipVision>(vision),
                                std::make_shared<rc3::text::ClipText>(text));
}

Batch batch_of(std::int64_t n) {
  Batch batch;
  batch.images.pixels = at::randint(256, {n, 3, 16, 16}).to(at::kByte);
  for (Texts* texts : {&batch.a, &batch.b}) {
    texts->ids = at::randint(3, 29, {n, 5}, at::kLong);
    texts->ids.select(1, 4).fill_(29);
    texts->mask = at::ones({n, 5}, at::kBool);
  }
  batch.image_ids = at::arange(n);
  batch.caption_a_ids = at::arange(n);
  batch.caption_b_ids = at::arange(n) + n;
  return batch;
}

BOOST_AUTO_TEST_CASE(embeddings_are_unit_vectors_and_logits_are_scaled_cosines) {
  const torch::NoGradGuard no_grad;
  const auto model = siglip();
  model->eval();
  const auto batch = batch_of(3);
  const auto image = model->image_embedding(model->visual(batch.images));
  const auto text = model->text_embedding(model->text(batch.a));
  BOOST_TEST((image.sizes() == at::IntArrayRef{3, 16}));
  at_most("DualEncoder: length of embeddings", (image.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  at_most("DualEncoder: length of embeddings", (text.norm(2, 1) - 1).abs().max().item<double>(), 1e-6);
  at_most("DualEncoder: logits", max_difference(model->logits(image, text), image.matmul(text.t()) * 10 - 10), 1e-5);
  model->set_logits(3, 0.5);
  at_most("DualEncoder: scale", std::abs(model->scale() - 3), 1e-6);
  at_most("DualEncoder: logits", max_difference(model->logits(image, text), image.matmul(text.t()) * 3 + 0.5), 1e-5);
  const auto again =
      std::make_shared<Siglip>(std::get<0>(model->parts()), std::get<1>(model->parts()), model->options());
  BOOST_TEST(again->image_embedding(again->visual(batch.images)).equal(image));
}

BOOST_AUTO_TEST_CASE(a_text_does_not_depend_on_its_batch) {
  const torch::NoGradGuard no_grad;
  const auto compare = [](auto& model) {
    model.eval();
    const auto batch = batch_of(2);
    const auto whole = model.text_embedding(model.text(batch.a));
    const Texts padded{at::constant_pad_nd(batch.a.ids, {0, 2}, 3), at::constant_pad_nd(batch.a.mask, {0, 2}, 0), {}};
    at_most("DualEncoder: two columns of other padding",
            max_difference(model.text_embedding(model.text(padded)), whole), 1e-6);
  };
  compare(*siglip());
  compare(*clip());
}

BOOST_AUTO_TEST_CASE(it_trains) {
  const auto learn = [](auto model, auto objective) {
    using Model = typename decltype(model)::element_type;
    using Objective = typename decltype(objective)::element_type;
    rc3::Pretrainer<Model, Objective> trained(model, {1.0}, objective);
    const auto batch = batch_of(4);
    torch::optim::AdamW optimizer(trained.parameters(), torch::optim::AdamWOptions(1e-2));
    double first = 0, last = 0;
    for (int step = 0; step < 60; ++step) {
      optimizer.zero_grad();
      const auto losses = trained.losses(batch);
      (step == 0 ? first : last) = losses.total.template item<double>();
      losses.total.backward();
      optimizer.step();
    }
    at_most("DualEncoder: loss after 60 steps as a part of the first", last / first, 0.7);
  };
  learn(siglip(), std::make_shared<rc3::objective::SigmoidItc>(0.1, -2));
  learn(clip(), std::make_shared<rc3::objective::Itc>());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  throws_with([] { clip(12); }, "12", "16", "one space");
  throws_with([] { siglip({.scale = 0}); }, "scale");
  throws_with([] { siglip({.scale = 1, .bias = 2, .has_bias = false}); }, "has_bias");
  throws_with([] { clip()->set_logits(1, 1); }, "bias");
  const auto model = clip();
  auto texts = batch_of(2).a;
  texts.ids[1][4] = 5;
  throws_with([&] { model->text(texts); }, "text 1 of 2", "end token");
}

BOOST_AUTO_TEST_SUITE_END()
