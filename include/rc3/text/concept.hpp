#pragma once
/// Concept of a text encoder, see docs/concepts/text.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::text {

template <class P>
concept Encodes = requires(P& p, const Texts& texts) {
  requires std::is_same_v<decltype(p.encode(texts)), Tokens>;
};

template <class P>
concept Pools = requires(P& p, const Tokens& tokens) {
  requires std::is_same_v<decltype(p.pool(tokens)), at::Tensor>;
};

template <class P>
concept HasWidth = requires(const P& p) {
  requires std::is_same_v<decltype(p.width()), std::int64_t>;
};

/// `encode(const Texts&)` returns Tokens [B, L, D], `pool(const Tokens&)` one vector per text [B, D]; `width()` is D.
template <class P>
concept Policy = Encodes<P> && Pools<P> && HasWidth<P>;

}  // namespace rc3::text
