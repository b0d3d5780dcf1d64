#pragma once
/// Concept of an objective, see docs/concepts/objective.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::objective {

/// `loss(ForwardCache<Model>&)` returns a scalar tensor to be minimised. An objective with parameters derives from
/// torch::nn::Module; the Pretrainer then trains them.
template <class O, class Model>
concept Policy = requires(O& objective, ForwardCache<Model>& forward) {
  requires std::is_same_v<decltype(objective.loss(forward)), at::Tensor>;
};

/// An objective on embeddings alone: it never reads z or tokens, and says so with `embeddings_only = true`.
template <class O>
inline constexpr bool embeddings_only = requires {
  requires O::embeddings_only;
};

}  // namespace rc3::objective
