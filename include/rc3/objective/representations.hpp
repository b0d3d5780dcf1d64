#pragma once
/// What a contrastive loss is a function of: so that a batch can be encoded in parts and its loss still be that of the
/// whole.

#include <ATen/core/Tensor.h>

#include <type_traits>
#include <vector>

#include "rc3/fwd.hpp"

namespace rc3::objective {

/// The vectors of some samples, one row a sample. Undefined tensors stay undefined in every part.
struct Representations {
  std::vector<at::Tensor> learned;      ///< [n, ...], gradient flows into them
  std::vector<at::Tensor> fixed = {};   ///< [n, ...], no gradient
  std::vector<at::Tensor> shared = {};  ///< the same for every part, no gradient
};

/// An objective whose loss can be computed part by part: `represent(ForwardCache&)` gives the Representations of a part
/// of the batch, `rows_loss(whole, batch, begin, end)` the share of some rows in the loss, from the Representations of
/// all.
template <class O, class Model>
concept Cacheable = requires(O& o, ForwardCache<Model>& forward, const Representations& r, const Batch& batch) {
  requires std::is_same_v<decltype(o.represent(forward)), Representations>;
  requires std::is_same_v<decltype(o.rows_loss(r, batch, 0, 1)), at::Tensor>;
};

}  // namespace rc3::objective
