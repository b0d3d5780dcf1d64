#pragma once
/// What a regularizer must offer, and what it may. See docs/concepts/regularizer.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::regularizer {

/// `penalty(const Pairs&)` gives Omega, a scalar tensor to be minimised: a mean over the pairs it is given.
template <class P>
concept Policy = requires(const P& p, const Pairs& pairs) {
  requires std::is_same_v<decltype(p.penalty(pairs)), at::Tensor>;
};

/// Optional: `static constexpr bool uses_rows = true`. Then Pairs holds logits and relevances as well.
template <class P>
inline constexpr bool uses_rows = false;
template <class P>
requires(P::uses_rows) inline constexpr bool uses_rows<P> = true;

/// Optional: `weights(const at::Tensor& relevance)` gives the weight of each pair in InfoNCE, float [N], of mean 1.
template <class P>
concept Weighs = requires(const P& p, const at::Tensor& rho) {
  requires std::is_same_v<decltype(p.weights(rho)), at::Tensor>;
};

}  // namespace rc3::regularizer
