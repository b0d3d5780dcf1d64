#pragma once
/// Representations: inputs of a contrastive loss. A batch encoded in parts then has the loss of the whole batch.

#include <ATen/core/Tensor.h>

#include <cstddef>
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

/// Part of an objective on separate embeddings: of the images and of both texts, without a fusion pass.
struct ImageTextEmbeddings {
  static constexpr bool embeddings_only = true;          ///< reads no z and no token, see objective::embeddings_only
  enum Learned : std::size_t { image, text_a, text_b };  ///< indices in Representations::learned

  /// @return three float tensors [n, D], one row per sample
  template <class Model>
  Representations represent(ForwardCache<Model>& forward) {
    return {{forward.image_embeddings(), forward.text_a_embeddings(), forward.text_b_embeddings()}, {}};
  }
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
