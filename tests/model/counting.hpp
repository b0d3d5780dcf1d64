#pragma once
/// A small model of policies that count what they encode, and a batch of four.

#include "rc3/fusion/single_stream.hpp"
#include "rc3/model/model.hpp"
#include "support/tensors.hpp"

/// Policies that count what they encode.
namespace user {

struct Text : torch::nn::Module {
  explicit Text(std::int64_t width = 8) { table = register_parameter("table", at::randn({20, width})); }
  rc3::Tokens encode(const rc3::Texts& texts) {
    encoded += texts.size();
    return {table.index_select(0, texts.ids.flatten()).view({texts.ids.size(0), texts.ids.size(1), -1}), texts.mask};
  }
  at::Tensor pool(const rc3::Tokens& tokens) { return tokens.values.select(1, 0); }
  std::int64_t width() const { return table.size(1); }
  at::Tensor table;
  std::int64_t encoded = 0;
};

struct Visual : torch::nn::Module {
  explicit Visual(std::int64_t width = 8) { layer = register_module("layer", torch::nn::Linear(5, width)); }
  rc3::Tokens encode(const rc3::Images& images) {
    encoded += images.size();
    return {layer->forward(images.regions), images.region_mask};
  }
  std::int64_t width() const { return layer->options.out_features(); }
  torch::nn::Linear layer{nullptr};
  std::int64_t encoded = 0;
};

}  // namespace user

namespace rc3::test::counting {

using Model = rc3::Model<user::Visual, user::Text, rc3::fusion::SingleStream>;

inline std::shared_ptr<rc3::fusion::SingleStream> fusion(std::int64_t width = 8) {
  return std::make_shared<rc3::fusion::SingleStream>(rc3::fusion::SingleStreamOptions{width, 1, 2, 16, 0.1});
}

inline std::shared_ptr<Model> small(rc3::ModelOptions options = {.embedding = 6, .hidden = 16}) {
  torch::manual_seed(1);
  return std::make_shared<Model>(std::make_shared<user::Visual>(), std::make_shared<user::Text>(), fusion(), options);
}

inline Batch four() {
  torch::manual_seed(2);
  Batch batch;
  batch.images.regions = at::randn({4, 3, 5});
  batch.images.region_mask = at::ones({4, 3}, at::kBool);
  batch.a = {at::randint(20, {4, 6}, at::kLong), at::ones({4, 6}, at::kBool), {}};
  batch.b = {at::randint(20, {4, 6}, at::kLong), at::ones({4, 6}, at::kBool), {}};
  batch.image_ids = at::arange(4);
  return batch;
}

}  // namespace rc3::test::counting
