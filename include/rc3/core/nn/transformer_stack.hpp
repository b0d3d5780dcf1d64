#pragma once
/// Several transformer layers on a padded batch; without gradient its padding is left out.

#include "rc3/core/nn/packing.hpp"
#include "rc3/core/nn/transformer_layer.hpp"

namespace rc3::nn {

/// Layers one after another.
/// @param x      float [B, N, D]
/// @param mask   bool [B, N], true for a token; at least one in each row
/// @param layer  called as layer(i) for @p first <= i < @p last, returns a TransformerLayer&
/// @return float [B, N, D]; rows of padding have any values
template <class Layer>
at::Tensor forward(at::Tensor x, const at::Tensor& mask, std::int64_t first, std::int64_t last, const Layer& layer) {
  if (first < last && !layer(first).is_training() && Packing::pays(x, mask)) {
    const Packing packing(mask);
    x = packing.pack(x);
    for (auto i = first; i < last; ++i) x = layer(i).forward(x, packing);
    return packing.unpack(x);
  }
  const auto columns = mask.unsqueeze(1).unsqueeze(1);
  for (auto i = first; i < last; ++i) x = layer(i).forward(x, columns);
  return x;
}

/// Last state of the first token, which must be one in each sequence. The last layer computes no other token.
/// @param x, mask, layer  as above, for 0 <= i < @p layers; @p layers > 0
/// @return float [B, D]
template <class Layer>
at::Tensor forward_first(at::Tensor x, const at::Tensor& mask, std::int64_t layers, const Layer& layer) {
  const auto run = [&](const auto& where) -> at::Tensor {
    for (std::int64_t i = 0; i + 1 < layers; ++i) x = layer(i).forward(x, where);
    return layer(layers - 1).forward_first(x, where);
  };
  if (!layer(0).is_training() && Packing::pays(x, mask)) {
    const Packing packing(mask);
    x = packing.pack(x);
    return run(packing);
  }
  return run(mask.unsqueeze(1).unsqueeze(1));
}

}  // namespace rc3::nn
