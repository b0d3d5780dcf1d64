#pragma once
/// A host that a task's head can be held against by hand: tokens are the regions and the hidden states as they are.

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/nn/l2_normalize.hpp"
#include "rc3/model/model.hpp"
#include "rc3/task/batch.hpp"

namespace rc3::test {

struct Toy : torch::nn::Module {
  explicit Toy(std::int64_t d = 4) : d(d) {
    mix = register_module("mix", torch::nn::Linear(2 * d, d));
    chosen.embedding = d;
  }
  static at::Tensor mean(const Tokens& t) {
    const auto mask = t.mask.unsqueeze(2).to(t.values.scalar_type());
    return (t.values * mask).sum(1) / mask.sum(1).clamp_min(1);
  }
  Tokens visual(const Images& p) { return {p.regions, p.region_mask}; }
  Tokens text(const Texts& t) { return {t.hidden, t.mask}; }
  at::Tensor image_embedding(const Tokens& t) { return nn::l2_normalize(mean(t)); }
  at::Tensor text_embedding(const Tokens& t) { return nn::l2_normalize(mean(t)); }
  at::Tensor fuse(const Tokens& v, const Tokens& t) { return mix->forward(at::cat({mean(v), mean(t)}, 1)).tanh(); }
  Fused fuse_tokens(const Tokens& v, const Tokens& t) { return {fuse(v, t), v, t}; }
  std::int64_t width() const { return d; }
  const ModelOptions& options() const { return chosen; }
  at::Tensor itm_logits(const at::Tensor& z) { return z.sum(1); }

  /// Policies that freeze nothing.
  struct Plain {};
  Plain* visual_policy() { return &plain; }
  Plain* text_policy() { return &plain; }
  Plain plain;

  std::int64_t d;
  ModelOptions chosen;
  torch::nn::Linear mix{nullptr};
};

/// @p b questions, everything drawn, in float64.
inline task::ExampleBatch toy_batch(std::int64_t b, bool pairs, std::int64_t d = 4) {
  const auto images = [&] {
    Images p;
    p.regions = at::randn({b, 3, d}, at::kDouble);
    p.region_mask = at::ones({b, 3}, at::kBool);
    p.region_mask[0][2] = false;
    return p;
  };
  task::ExampleBatch batch{
      images(), {}, {at::zeros({b, 2}, at::kLong), at::ones({b, 2}, at::kBool), at::randn({b, 2, d}, at::kDouble)}};
  if (pairs) batch.right = images();
  batch.labels = at::arange(b).remainder(3);
  return batch;
}

}  // namespace rc3::test
