#include <boost/test/unit_test.hpp>

#include "rc3/fusion/fusion.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/text/bert.hpp"
#include "rc3/train/trainer.hpp"
#include "rc3/visual/visual.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

// Masked words and masked regions.
BOOST_AUTO_TEST_SUITE(objective_modelling)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;
using Model = rc3::Model<rc3::visual::Roi, rc3::text::Bert>;

const MaskOptions masks{.fraction = 0.3, .mask = 19, .vocabulary = 20, .seed = 3};

std::shared_ptr<Model> model() {
  torch::manual_seed(1);
  const auto made = std::make_shared<Model>(
      std::make_shared<rc3::visual::Roi>(rc3::visual::RegionEmbeddingOptions{.features = 4, .width = 8}),
      std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
          .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
      std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1}));
  made->to(at::kDouble);
  made->eval();
  return made;
}

Batch batch(std::int64_t n = 3) {
  torch::manual_seed(2);
  Batch b;
  b.images.regions = at::randn({n, 3, 4}, at::kDouble);
  b.images.boxes = at::tensor({0.0, 0.0, 8.0, 8.0}, at::kDouble).expand({n, 3, 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.0, at::kDouble);
  b.images.region_mask = at::ones({n, 3}, at::kBool);
  b.images.region_mask[0][2] = false;
  auto ids = at::randint(4, 19, {n, 6}, at::kLong);
  ids.select(1, 0).fill_(0);  // <s>
  ids.select(1, 5).fill_(2);  // </s>
  b.a = {ids, at::ones({n, 6}, at::kBool), {}};
  b.a.ids[0].narrow(0, 4, 2).fill_(1);
  b.a.mask[0].narrow(0, 4, 2).fill_(false);
  b.b = b.a;
  b.image_ids = at::arange(n);
  return b;
}

template <class Objective>
std::shared_ptr<Objective> in_double(std::shared_ptr<Objective> objective) {
  objective->to(at::kDouble);
  objective->eval();
  return objective;
}

template <class Objective>
at::Tensor loss_of(Objective& objective, Model& m, const Batch& b) {
  ForwardCache<Model> forward(m, b);
  return objective.loss(forward);
}

/// Mean of -log p of the targets, as loops.
double cross_entropy_by_hand(const at::Tensor& logits, const at::Tensor& targets) {
  const auto rows = matrix_of(logits);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double all = 0;
    for (const double l : rows[i]) all += std::exp(l);
    sum +=
        std::log(all) - rows[i][static_cast<std::size_t>(targets[static_cast<std::int64_t>(i)].item<std::int64_t>())];
  }
  return sum / static_cast<double>(rows.size());
}

BOOST_AUTO_TEST_CASE(words_are_masked_as_bert_masks_them) {
  rc3::Texts texts{at::randint(4, 1000, {200, 40}, at::kLong), at::ones({200, 40}, at::kBool), {}};
  texts.ids.select(1, 0).fill_(0);
  texts.mask.narrow(1, 30, 10).fill_(false);
  const MaskOptions o{.fraction = 0.15, .mask = 999, .vocabulary = 1000, .seed = 7};
  const auto masked = rc3::objective::detail::mask_texts("test", texts, o, 5);
  const auto before = texts.ids.flatten().index_select(0, masked.places),
             after = masked.texts.ids.flatten().index_select(0, masked.places);
  BOOST_TEST(masked.targets.equal(before));
  const double n = static_cast<double>(masked.targets.numel()), words = 200 * 29;
  at_most("share of the words, from 15 %", std::abs(n / words - 0.15), 0.015);
  const double holes = after.eq(999).sum().item<double>(), same = after.eq(before).sum().item<double>();
  at_most("share that becomes <mask>, from 80 %", std::abs(holes / n - 0.8), 0.04);
  at_most("share that stays, from 10 %", std::abs(same / n - 0.1), 0.03);
  BOOST_TEST(masked.places.remainder(40).ge(1).all().item<bool>());   // no <s>
  BOOST_TEST(masked.places.remainder(40).lt(30).all().item<bool>());  // no padding
  auto untouched = texts.ids.flatten().clone();
  BOOST_TEST(
      masked.texts.ids.flatten().index_fill(0, masked.places, 0).equal(untouched.index_fill(0, masked.places, 0)));

  BOOST_TEST(rc3::objective::detail::mask_texts("test", texts, o, 5).texts.ids.equal(masked.texts.ids));
  BOOST_TEST(!rc3::objective::detail::mask_texts("test", texts, o, 6).texts.ids.equal(masked.texts.ids));
  // A single word is masked in any case; nothing but special tokens has nothing to mask.
  const rc3::Texts one{at::tensor({0, 9, 2}, at::kLong).view({1, 3}), at::ones({1, 3}, at::kBool), {}};
  for (std::int64_t step = 0; step < 20; ++step)
    BOOST_TEST(rc3::objective::detail::mask_texts("test", one, o, step).targets.numel() == 1);
  const rc3::Texts none{at::tensor({0, 3, 2}, at::kLong).view({1, 3}), at::ones({1, 3}, at::kBool), {}};
  BOOST_TEST(rc3::objective::detail::mask_texts("test", none, o, 0).targets.numel() == 0);
}

BOOST_AUTO_TEST_CASE(special_tokens_are_a_list_and_other_words_come_alike) {
  const MaskOptions o{.fraction = 1, .replaced = 0, .mask = 8, .vocabulary = 12, .special = {0, 3, 6, 11}, .seed = 2};
  const auto all = at::arange(12).repeat({500, 1});
  const auto masked = rc3::objective::detail::mask_texts("test", {all, at::ones({500, 12}, at::kBool), {}}, o, 0);
  const auto columns = masked.texts.ids;
  for (const std::int64_t special : {0, 3, 6, 8, 11}) {
    BOOST_TEST(columns.select(1, special).eq(special).all().item<bool>());  // never masked
    BOOST_TEST((columns.eq(special).sum().item<std::int64_t>() == 500));    // never drawn
  }
  for (const std::int64_t word : {1, 2, 4, 5, 7, 9, 10}) {
    // Half stay; the other half becomes one of seven words, itself among them.
    const double stay = columns.select(1, word).eq(word).sum().item<double>() / 500;
    const double seen = columns.eq(word).sum().item<double>() / 500;
    BOOST_TEST(std::abs(stay - (0.5 + 0.5 / 7)) < 0.08);
    BOOST_TEST(std::abs(seen - 1) < 0.15);
  }
  throws_with([] { Mlm(8, {.mask = 20, .vocabulary = 20}); }, "objective::Mlm", "below vocabulary, which is 20");
  throws_with([] { Mlm(8, {.mask = 3, .vocabulary = 20, .special = {-1}}); }, "below vocabulary");
  throws_with([] { Mlm(8, {.mask = 3, .vocabulary = 4, .special = {0, 1, 2}}); }, "no word is left");
}

BOOST_AUTO_TEST_CASE(ids_may_lie_in_memory_as_they_like) {
  const auto rows = at::arange(4, 16, at::kLong).view({3, 4});
  const MaskOptions o{.fraction = 0.4, .mask = 99, .vocabulary = 100};
  const rc3::Texts turned{rows.t().contiguous().t(), at::ones({3, 4}, at::kBool), {}};
  const auto masked = rc3::objective::detail::mask_texts("test", turned, o, 0);
  BOOST_TEST(rows.flatten().index_select(0, masked.places).equal(masked.targets));
  throws_with(
      [&] {
        rc3::objective::detail::mask_texts("test", {rows.to(at::kInt), turned.mask, {}}, o, 0);
      },
      "ids", "Long");
  throws_with(
      [&] {
        rc3::objective::detail::mask_texts("test", {rows, at::ones({1, 1}, at::kBool), {}}, o, 0);
      },
      "mask", "B=3");
}

BOOST_AUTO_TEST_CASE(a_region_that_the_visual_policy_drops_is_not_asked_for) {
  struct Drops : rc3::visual::Roi {
    using rc3::visual::Roi::Roi;
    rc3::Tokens encode(const rc3::Images& images) {
      auto tokens = rc3::visual::Roi::encode(images);
      tokens.mask = tokens.mask.clone();
      tokens.mask[1].fill_(false);
      return {tokens.values * tokens.mask.unsqueeze(2), tokens.mask};
    }
  };
  using Dropping = rc3::Model<Drops, rc3::text::Bert>;
  torch::manual_seed(1);
  Dropping m(std::make_shared<Drops>(rc3::visual::RegionEmbeddingOptions{.features = 4, .width = 8}),
             std::make_shared<rc3::text::Bert>(rc3::text::BertOptions{
                 .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
             std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1}));
  m.to(at::kDouble);
  m.eval();
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1.0}));
  const auto loss = [&](const Batch& b) {
    ForwardCache<Dropping> forward(m, b);
    return mrm->loss(forward).template item<double>();
  };
  const auto b = batch();
  auto other = b;
  other.images.regions = b.images.regions.clone();
  other.images.regions[1].add_(5);  // what nobody sees and nobody asks for
  BOOST_TEST(loss(b) > 0);
  at_most("another image in the dropped sample", std::abs(loss(other) - loss(b)), 1e-12);
}

BOOST_AUTO_TEST_CASE(mlm_is_its_formula) {
  const auto m = model();
  const auto b = batch();
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  for (std::int64_t step = 0; step < 3; ++step) {
    mlm->at_step(step);
    const auto masked = rc3::objective::detail::mask_texts("test", b.a, masks, step);
    const auto fused = m->fuse_tokens(m->visual(b.images), m->text(masked.texts));
    const auto head = mlm->named_parameters();
    const auto x = fused.text.values.view({-1, 8});  // all positions, then those that were masked
    const auto h = at::layer_norm(at::gelu(at::linear(x, head["head.dense.weight"], head["head.dense.bias"])), {8},
                                  head["head.norm.weight"], head["head.norm.bias"], 1e-6);
    const auto logits = at::linear(h, head["embedding"], head["head.bias"]);
    std::vector<at::Tensor> rows;
    for (std::int64_t i = 0; i < masked.places.size(0); ++i)
      rows.push_back(logits[masked.places[i].item<std::int64_t>()]);
    at_most(rc3::join("Mlm against its formula, step ", step),
            std::abs(loss_of(*mlm, *m, b).item<double>() - cross_entropy_by_hand(at::stack(rows), masked.targets)),
            1e-10);
  }
}

BOOST_AUTO_TEST_CASE(mclm_reads_one_word_behind_and_says_the_masked_ones) {
  const auto m = model();
  const auto b = batch();
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8});
  const auto mclm = in_double(std::make_shared<Mclm>(decoder, masks));
  mclm->at_step(1);
  const auto masked = rc3::objective::detail::mask_texts("test", b.a, masks, 1);
  const auto fused = m->fuse_tokens(m->visual(b.images), m->text(masked.texts));
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < masked.places.size(0); ++i) {
    // Word by word: what stands before the place, behind the start token, and the memory of its sample.
    const auto place = masked.places[i].item<std::int64_t>(), row = place / 6, column = place % 6;
    std::vector<std::int64_t> read{2};
    for (std::int64_t c = 0; c < column; ++c) read.push_back(b.a.ids[row][c].item<std::int64_t>());
    const auto sample = fused.memory().select(at::tensor({row}, at::kLong));
    rows.push_back(
        decoder->logits(decoder->forward(at::tensor(read, at::kLong).unsqueeze(0), sample).select(1, -1))[0]);
  }
  at_most("Mclm against word by word",
          std::abs(loss_of(*mclm, *m, b).item<double>() - cross_entropy_by_hand(at::stack(rows), masked.targets)),
          1e-10);
}

BOOST_AUTO_TEST_CASE(mrm_says_the_regions_it_cannot_see) {
  const auto m = model();
  const auto b = batch();
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1.0}));  // all eight that are there
  auto hidden = b.images;
  hidden.regions = at::zeros_like(hidden.regions);
  hidden.regions[0][2].copy_(b.images.regions[0][2]);  // not under the mask: neither hidden nor asked for
  const auto fused = m->fuse_tokens(m->visual(hidden), m->text(b.a));
  const auto parameters = mrm->named_parameters();
  const auto said = at::linear(fused.visual.values, parameters["head.weight"], parameters["head.bias"]);
  double squares = 0;
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t r = 0; r < 3; ++r)
      if (!(i == 0 && r == 2)) squares += (said[i][r] - b.images.regions[i][r]).square().sum().item<double>();
  at_most("Mrm against its formula", std::abs(loss_of(*mrm, *m, b).item<double>() - squares / (8 * 4)), 1e-10);

  const auto few = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 1e-9}));
  BOOST_TEST(loss_of(*few, *m, b).item<double>() > 0);  // at least one
}

BOOST_AUTO_TEST_CASE(mrm_says_the_classes_of_the_regions) {
  const auto m = model();
  auto b = batch();
  b.images.region_classes = at::randn({3, 3, 5}, at::kDouble).softmax(2);
  b.images.region_classes[1][1] = at::tensor({0.0, 1.0, 0.0, 0.0, 0.0}, at::kDouble);  // sure of it
  const auto mrm = in_double(std::make_shared<Mrm<RegionClasses>>(8, 5, MrmOptions{.fraction = 1.0}));
  auto hidden = b.images;
  hidden.regions = at::zeros_like(hidden.regions);
  hidden.regions[0][2].copy_(b.images.regions[0][2]);
  const auto fused = m->fuse_tokens(m->visual(hidden), m->text(b.a));
  const auto parameters = mrm->named_parameters();
  const auto said = at::linear(fused.visual.values, parameters["head.weight"], parameters["head.bias"]);
  double divergence = 0;
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t r = 0; r < 3; ++r) {
      if (i == 0 && r == 2) continue;
      const auto p = vector_of(b.images.region_classes[i][r]), l = vector_of(said[i][r]);
      double all = 0;
      for (const double x : l) all += std::exp(x);
      for (std::size_t c = 0; c < p.size(); ++c)
        if (p[c] > 0) divergence += p[c] * (std::log(p[c]) - (l[c] - std::log(all)));
    }
  at_most("Mrm<RegionClasses> against its formula", std::abs(loss_of(*mrm, *m, b).item<double>() - divergence / 8),
          1e-10);
  b.images.region_classes = at::Tensor();
  throws_with([&] { loss_of(*mrm, *m, b); }, "objective::Mrm", "region_classes");
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
  const auto m = model();
  const auto b = batch(2);
  const auto check = [&](const char* name, auto& objective) {
    std::vector<at::Tensor> leaves;
    for (const auto* module : {static_cast<torch::nn::Module*>(m.get()), static_cast<torch::nn::Module*>(&objective)})
      for (const auto& p : module->parameters())
        if (p.numel() <= 64) leaves.push_back(p);
    at_most(rc3::join(name, ": gradient against finite differences"),
            gradient_error([&] { return loss_of(objective, *m, b); }, leaves), 1e-6);
  };
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  check("Mlm", *mlm);
  const auto mclm = in_double(std::make_shared<Mclm>(
      std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
          .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8}),
      masks));
  check("Mclm", *mclm);
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4, MrmOptions{.fraction = 0.5}));
  check("Mrm", *mrm);
}

BOOST_AUTO_TEST_CASE(edges) {
  const auto m = model();
  const auto mlm = in_double(std::make_shared<Mlm>(8, masks));
  auto specials = batch(1);
  specials.a.ids.fill_(3);
  BOOST_TEST(loss_of(*mlm, *m, specials).item<double>() == 0);
  loss_of(*mlm, *m, specials).backward();
  auto no_regions = batch(1);
  no_regions.images.region_mask.fill_(false);
  const auto mrm = in_double(std::make_shared<Mrm<>>(8, 4));
  BOOST_TEST(loss_of(*mrm, *m, no_regions).item<double>() == 0);
  auto only_hidden = batch(1);
  only_hidden.a.hidden = at::zeros({1, 6, 8}, at::kDouble);
  only_hidden.a.ids = at::Tensor();
  throws_with([&] { loss_of(*mlm, *m, only_hidden); }, "objective::Mlm", "ids");
  auto pixels = batch(1);
  pixels.images.regions = at::Tensor();
  throws_with([&] { loss_of(*mrm, *m, pixels); }, "objective::Mrm", "regions");
  throws_with([] { Mlm(8, {.fraction = 0.0}); }, "objective::Mlm", "fraction");
  throws_with([] { Mrm<>(8, 4, {.fraction = 2.0}); }, "objective::Mrm", "fraction");
  throws_with(
      [] {
        Mclm(std::make_shared<rc3::fusion::Decoder>(
                 rc3::fusion::DecoderOptions{.vocabulary = 7, .width = 8, .heads = 2}),
             masks);
      },
      "objective::Mclm", "7");
}

BOOST_AUTO_TEST_CASE(a_model_learns_from_all_of_them) {
  const auto m = model();
  m->to(at::kFloat);
  auto b = batch(3);
  for (at::Tensor* t : {&b.images.regions, &b.images.boxes, &b.images.sizes}) *t = t->to(at::kFloat);
  using Training = rc3::Pretrainer<Model, Mlm, Mclm, Mrm<>>;
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 16, .positions = 8});
  const auto training =
      std::make_shared<Training>(m, std::array{1.0, 1.0, 1.0}, std::make_shared<Mlm>(8, masks),
                                 std::make_shared<Mclm>(decoder, masks), std::make_shared<Mrm<>>(8, 4));
  rc3::train::Trainer<Training> trainer(training, {.optimizer = {.learning_rate = 1e-2}, .schedule = {0, 300, 0.0}});
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    const double loss = trainer.step(b).loss;
    if (step < 20) first += loss / 20;
    if (step >= 280) last += loss / 20;
  }
  at_most("loss after 300 steps, of that at the start", last / first, 0.6);
}

BOOST_AUTO_TEST_SUITE_END()
