#pragma once
/// Concept of a text encoder, see docs/concepts/text.md. LibTorch-free.

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rc3/fwd.hpp"

namespace rc3::text {

/// Has encode(texts): Tokens [B, L, D].
template <class P>
concept Encodes = requires(P& p, const Texts& texts) {
  requires std::is_same_v<decltype(p.encode(texts)), Tokens>;
};

/// Has pool(tokens): one vector per text, float [B, D].
template <class P>
concept Pools = requires(P& p, const Tokens& tokens) {
  requires std::is_same_v<decltype(p.pool(tokens)), at::Tensor>;
};

/// Has width(): D, the width of tokens.
template <class P>
concept HasWidth = requires(const P& p) {
  requires std::is_same_v<decltype(p.width()), std::int64_t>;
};

/// `encode(const Texts&)` returns Tokens [B, L, D], `pool(const Tokens&)` one vector per text [B, D]; `width()` is D.
template <class P>
concept Policy = Encodes<P> && Pools<P> && HasWidth<P>;

/// An encoder whose pooled texts have a projection into the space shared with images: `project(pooled)` [B, E], and
/// `projection_width()` is E.
template <class P>
concept Projects = requires(P& p, const P& c, const at::Tensor& pooled) {
  requires std::is_same_v<decltype(p.project(pooled)), at::Tensor>;
  requires std::is_same_v<decltype(c.projection_width()), std::int64_t>;
};

/// A tokenizer: `encode(text)` returns ids with special tokens, truncated; `pad_id()` is the id of padding. Both are
/// const and thread-safe.
template <class T>
concept TokenizerPolicy = requires(const T& t, std::string_view text) {
  requires std::is_same_v<decltype(t.encode(text)), std::vector<std::int64_t>>;
  requires std::is_same_v<decltype(t.pad_id()), std::int64_t>;
};

}  // namespace rc3::text
