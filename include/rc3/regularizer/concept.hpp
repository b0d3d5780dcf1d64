#pragma once
/// Concepts of a regularizer: required and optional parts, see docs/concepts/regularizer.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::regularizer {

/// `penalty(const Pairs&)` returns Omega, a scalar tensor to be minimised: a mean over the given pairs.
template <class P>
concept Policy = requires(const P& p, const Pairs& pairs) {
  requires std::is_same_v<decltype(p.penalty(pairs)), at::Tensor>;
};

/// Optional: `static constexpr bool uses_rows = true`. Pairs then also holds logits and relevances.
template <class P>
inline constexpr bool uses_rows = false;
template <class P>
requires(P::uses_rows) inline constexpr bool uses_rows<P> = true;

/// Optional: `weights(const at::Tensor& relevance)` returns each pair's weight in InfoNCE, float [N], with mean 1.
template <class P>
concept Weighs = requires(const P& p, const at::Tensor& rho) {
  requires std::is_same_v<decltype(p.weights(rho)), at::Tensor>;
};

}  // namespace rc3::regularizer
