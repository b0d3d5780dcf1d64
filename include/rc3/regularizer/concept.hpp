#pragma once
/// What a regularizer must offer. See docs/concepts/regularizer.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::regularizer {

/// `penalty(const Pairs&)` gives Omega, a scalar tensor to be minimised.
template <class P>
concept Policy = requires(const P& p, const Pairs& pairs) { requires std::is_same_v<decltype(p.penalty(pairs)), at::Tensor>; };

}  // namespace rc3::regularizer
