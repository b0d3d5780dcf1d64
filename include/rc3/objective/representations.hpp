#pragma once
/// Representations: inputs of a contrastive loss. A batch encoded in parts then has the loss of the whole batch.

#include <ATen/core/Tensor.h>

#include <type_traits>
#include <vector>

#include "rc3/fwd.hpp"

namespace rc3::objective {

/// Representations of some samples, one row per sample. Undefined tensors stay undefined in every part.
struct Representations {
  std::vector<at::Tensor> learned;      ///< [n, ...], gradient flows into them
  std::vector<at::Tensor> fixed = {};   ///< [n, ...], no gradient
  std::vector<at::Tensor> shared = {};  ///< equal for every part, no gradient
};

/// An objective whose loss can be computed in parts. `represent(ForwardCache&)` returns the Representations of a part
/// of the batch. `rows_loss(whole, batch, begin, end)` returns the share of some rows in the loss, from all
/// Representations.
template <class O, class Model>
concept Cacheable = requires(O& o, ForwardCache<Model>& forward, const Representations& r, const Batch& batch) {
  requires std::is_same_v<decltype(o.represent(forward)), Representations>;
  requires std::is_same_v<decltype(o.rows_loss(r, batch, 0, 1)), at::Tensor>;
};

}  // namespace rc3::objective
