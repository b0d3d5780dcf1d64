#include <boost/test/unit_test.hpp>

#include "rc3/fusion/fusion.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "rc3/text/scratch.hpp"
#include "rc3/visual/visual.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

// A batch that mixes samples with regions only, patches only and both, under every objective at once.
BOOST_AUTO_TEST_SUITE(missing_modality)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;
using Patches = rc3::visual::Patch<rc3::visual::backbone::LinearPatches>;
using Visual = rc3::visual::Both<rc3::visual::Roi, Patches>;
using Model = rc3::Model<Visual, rc3::text::Scratch>;
using Contrast = RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Provided, negatives::SameImage>;
using Training = rc3::Pretrainer<Model, Contrast, Itc, Xtcl, Itm, Mlm, Mclm, Mrm<>>;

std::shared_ptr<Training> training() {
  torch::manual_seed(4);
  const auto backbone = std::make_shared<rc3::visual::backbone::LinearPatches>(
      rc3::visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 4});
  const auto visual = std::make_shared<Visual>(
      std::make_shared<rc3::visual::Roi>(rc3::visual::RegionEmbeddingOptions{.features = 3, .width = 8}),
      std::make_shared<Patches>(backbone, rc3::visual::PatchOptions{.width = 8, .grid = 2}));
  const auto text = std::make_shared<rc3::text::Scratch>(rc3::text::ScratchOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 6});
  const auto fusion = std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 8, 0.1});
  const auto model = std::make_shared<Model>(visual, text, fusion, rc3::ModelOptions{.embedding = 6, .hidden = 7});
  const auto decoder = std::make_shared<rc3::fusion::Decoder>(rc3::fusion::DecoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 6});
  const MaskOptions masks{.share = 0.5, .mask = 19, .vocabulary = 20};
  auto all = std::make_shared<Training>(
      model, std::array{1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, std::make_shared<Contrast>(), std::make_shared<Itc>(),
      std::make_shared<Xtcl>(), std::make_shared<Itm>(ItmOptions{.hardness = 1e7}), std::make_shared<Mlm>(8, masks),
      std::make_shared<Mclm>(decoder, masks), std::make_shared<Mrm<>>(8, 3, MrmOptions{.share = 0.7}));
  all->to(at::kDouble);
  all->eval();
  // Embeddings start at 0.02, where a norm behind them bends too much for differences.
  const torch::NoGradGuard no_grad;
  for (const auto& p : all->parameters())
    if (p.dim() >= 2) p.copy_(at::randn_like(p) * 0.5);
  return all;
}

/// Sample 0 has regions only, 1 patches only, 2 both, 3 both with one region.
Batch batch() {
  torch::manual_seed(5);
  const std::int64_t n = 4;
  Batch b;
  b.pictures.pixels = at::randint(0, 256, {n, 3, 8, 8}, at::kLong).to(at::kDouble);
  b.pictures.regions = at::randn({n, 2, 3}, at::kDouble);
  b.pictures.boxes = at::tensor({1.0, 0.0, 6.0, 8.0}, at::kDouble).expand({n, 2, 4}).contiguous();
  b.pictures.sizes = at::full({n, 2}, 8.0, at::kDouble);
  b.pictures.region_mask = at::tensor({1, 1, 0, 0, 1, 1, 1, 0}, at::kLong).view({n, 2}).to(at::kBool);
  b.pictures.patch_mask = at::tensor({0, 1, 1, 1}, at::kLong).to(at::kBool);
  const auto text = [&] { return rc3::Texts{at::randint(4, 19, {n, 5}, at::kLong), at::ones({n, 5}, at::kBool), {}}; };
  b.a = text();
  b.b = text();
  b.strict = at::tensor({1, 0, 1, 1}, at::kLong).to(at::kBool);
  b.relevance = at::tensor({1.0, 0.4, 1.0, 0.0}, at::kDouble);
  b.picture_ids = at::arange(n);
  b.caption_a_ids = at::arange(n);
  b.caption_b_ids = at::arange(n) + n;
  return b;
}

BOOST_AUTO_TEST_CASE(every_loss_is_there_and_every_gradient_is_that_of_finite_differences) {
  const auto all = training();
  const auto b = batch();
  const auto losses = all->losses(b);
  for (std::size_t k = 0; k < losses.parts.size(); ++k)
    BOOST_TEST((std::isfinite(losses.parts[k]) && losses.parts[k] > 0),
               Training::objective_names()[k] << " is " << losses.parts[k]);
  std::vector<at::Tensor> leaves;
  for (const auto& p : all->parameters())
    if (p.numel() <= 40) leaves.push_back(p);
  at_least("parameters that are looked at", leaves.size(), 60u);
  at_most("gradients with missing modalities against finite differences",
          gradient_error([&] { return all->losses(b).total; }, leaves), 1e-6);
}

BOOST_AUTO_TEST_CASE(what_a_sample_does_not_have_counts_for_nothing) {
  const auto all = training();
  const auto b = batch();
  auto other = b;
  other.pictures.regions = b.pictures.regions.clone();
  other.pictures.regions[1].fill_(1e6);
  other.pictures.regions[3][1].fill_(-1e6);
  other.pictures.boxes = b.pictures.boxes.clone();
  other.pictures.boxes[1].fill_(-7);
  other.pictures.pixels = b.pictures.pixels.clone();
  other.pictures.pixels[0].fill_(255);
  const auto expected = all->losses(b).parts, seen = all->losses(other).parts;
  for (std::size_t k = 0; k < seen.size(); ++k)
    at_most(rc3::join(Training::objective_names()[k], " with other numbers where nothing is"),
            std::abs(seen[k] - expected[k]), 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()
