#pragma once
/// A model without parameters, in float64: its loss is a function of nothing but the batch.

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/nn/l2_normalize.hpp"

namespace rc3::test {

/// The tokens of an image are its `regions`, those of a text its `hidden`. z = wv v + wt t + wx v t, elementwise, of
/// the means over the tokens.
struct FakeModel {
  double visual_weight = 1, text_weight = 1, cross_weight = 1;
  int images_encoded = 0, texts_encoded = 0;
  /// First number of the image and of the text, for every pair that was fused.
  std::vector<std::pair<double, double>> fused = {};

  Tokens visual(const Images& images) {
    ++images_encoded;
    return {images.regions, at::ones({images.regions.size(0), images.regions.size(1)}, at::kBool)};
  }
  Tokens text(const Texts& texts) {
    ++texts_encoded;
    return {texts.hidden, texts.mask};
  }
  at::Tensor image_embedding(const Tokens& tokens) { return nn::l2_normalize(tokens.values.mean(1)); }
  at::Tensor text_embedding(const Tokens& tokens) { return nn::l2_normalize(tokens.values.mean(1)); }
  at::Tensor fuse(const Tokens& visual, const Tokens& text) {
    const auto v = visual.values.mean(1), t = text.values.mean(1);
    for (std::int64_t i = 0; i < v.size(0); ++i) fused.emplace_back(v[i][0].item<double>(), t[i][0].item<double>());
    return visual_weight * v + text_weight * t + cross_weight * v * t;
  }
  at::Tensor itm_logits(const at::Tensor& z) { return z.sum(1); }
};

/// @p n samples of random vectors, all images and captions different; every tensor of them is a leaf with gradient.
inline Batch fake_batch(std::int64_t n, std::int64_t width = 3, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  const auto leaf = [&] { return at::randn({n, 1, width}, at::kDouble).requires_grad_(); };
  const auto mask = at::ones({n, 1}, at::kBool);
  Batch batch;
  batch.images.regions = leaf();
  batch.a = {{}, mask, leaf()};
  batch.b = {{}, mask, leaf()};
  batch.image_ids = at::arange(n);
  batch.caption_a_ids = at::arange(n);
  batch.caption_b_ids = at::arange(n) + n;
  return batch;
}

/// The same samples in the order @p index.
inline Batch reordered(const Batch& batch, const at::Tensor& index) {
  const auto rows = [&](const at::Tensor& t) { return t.defined() ? t.index_select(0, index) : t; };
  return {batch.images.select(index), batch.a.select(index), batch.b.select(index),     rows(batch.strict),
          rows(batch.relevance),      rows(batch.image_ids), rows(batch.caption_a_ids), rows(batch.caption_b_ids)};
}

}  // namespace rc3::test
