#pragma once
/// A small model with regions and patches, trained by seven objectives at once, and a batch that mixes samples with
/// regions only, patches only and both. In float64.

#include <torch/torch.h>

#include <array>
#include <memory>

#include "rc3/fusion/fusion.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "rc3/text/transformer_encoder.hpp"
#include "rc3/visual/visual.hpp"

namespace rc3::test::everything {

using namespace rc3::objective;
using Patches = visual::Patch<visual::backbone::LinearPatches>;
using Visual = visual::Both<visual::Roi, Patches>;
using Model = rc3::Model<Visual, text::TransformerEncoder>;
using Contrast = RXvtcl<regularizer::Ceiling, relevance::Provided, negatives::SameImage>;
using Training = Pretrainer<Model, Contrast, Itc, Xtcl, Itm, Mlm, Mclm, Mrm<>>;

inline std::shared_ptr<Training> training() {
  torch::manual_seed(4);
  const auto backbone = std::make_shared<visual::backbone::LinearPatches>(
      visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 4});
  const auto visual =
      std::make_shared<Visual>(std::make_shared<visual::Roi>(visual::RegionEmbeddingOptions{.features = 3, .width = 8}),
                               std::make_shared<Patches>(backbone, visual::PatchOptions{.width = 8, .grid = 2}));
  const auto text = std::make_shared<text::TransformerEncoder>(text::TransformerEncoderOptions{
      .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 6});
  const auto fusion = std::make_shared<fusion::SingleStream>(fusion::SingleStreamOptions{8, 1, 2, 8, 0.1});
  const auto model = std::make_shared<Model>(visual, text, fusion, ModelOptions{.embedding = 6, .hidden = 7});
  const auto decoder = std::make_shared<fusion::Decoder>(
      fusion::DecoderOptions{.vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 6});
  const MaskOptions masks{.fraction = 0.5, .mask = 19, .vocabulary = 20};
  auto all = std::make_shared<Training>(
      model, std::array{1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, std::make_shared<Contrast>(), std::make_shared<Itc>(),
      std::make_shared<Xtcl>(), std::make_shared<Itm>(ItmOptions{.hardness = 1e7}), std::make_shared<Mlm>(8, masks),
      std::make_shared<Mclm>(decoder, masks), std::make_shared<Mrm<>>(8, 3, MrmOptions{.fraction = 0.7}));
  all->to(at::kDouble);
  all->eval();
  // Embeddings start at 0.02, where a norm behind them bends too much for differences.
  const torch::NoGradGuard no_grad;
  for (const auto& p : all->parameters())
    if (p.dim() >= 2) p.copy_(at::randn_like(p) * 0.5);
  return all;
}

/// Sample 0 has regions only, 1 patches only, 2 both, 3 both with one region.
inline Batch batch() {
  torch::manual_seed(5);
  const std::int64_t n = 4;
  Batch b;
  b.images.pixels = at::randint(0, 256, {n, 3, 8, 8}, at::kLong).to(at::kDouble);
  b.images.regions = at::randn({n, 2, 3}, at::kDouble);
  b.images.boxes = at::tensor({1.0, 0.0, 6.0, 8.0}, at::kDouble).expand({n, 2, 4}).contiguous();
  b.images.sizes = at::full({n, 2}, 8.0, at::kDouble);
  b.images.region_mask = at::tensor({1, 1, 0, 0, 1, 1, 1, 0}, at::kLong).view({n, 2}).to(at::kBool);
  b.images.patch_mask = at::tensor({0, 1, 1, 1}, at::kLong).to(at::kBool);
  const auto text = [&] { return Texts{at::randint(4, 19, {n, 5}, at::kLong), at::ones({n, 5}, at::kBool), {}}; };
  b.a = text();
  b.b = text();
  b.strict = at::tensor({1, 0, 1, 1}, at::kLong).to(at::kBool);
  b.relevance = at::tensor({1.0, 0.4, 1.0, 0.0}, at::kDouble);
  b.image_ids = at::arange(n);
  b.caption_a_ids = at::arange(n);
  b.caption_b_ids = at::arange(n) + n;
  return b;
}

}  // namespace rc3::test::everything
