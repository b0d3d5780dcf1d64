#pragma once
/// Concept of a fusion encoder, see docs/concepts/fusion.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::fusion {

/// Has fuse(visual, text): one vector z per sample, float [B, D].
template <class P>
concept Fuses = requires(P& p, const Tokens& visual, const Tokens& text) {
  requires std::is_same_v<decltype(p.fuse(visual, text)), at::Tensor>;
};

/// Has width(): D, the width of z.
template <class P>
concept HasWidth = requires(const P& p) {
  requires std::is_same_v<decltype(p.width()), std::int64_t>;
};

/// `fuse(const Tokens& visual, const Tokens& text)` returns the image-text vector z [B, D]; `width()` is D.
template <class P>
concept Policy = Fuses<P> && HasWidth<P>;

/// Optional: `fuse_tokens(visual, text)` returns z and the state of every token, as Fused.
template <class P>
concept FusesTokens = requires(P& p, const Tokens& visual, const Tokens& text) {
  requires std::is_same_v<decltype(p.fuse_tokens(visual, text)), Fused>;
};

}  // namespace rc3::fusion
