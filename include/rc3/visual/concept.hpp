#pragma once
/// Concepts of a visual policy and a backbone, see docs/concepts/visual.md. LibTorch-free.

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::visual {

/// Has encode(images): Tokens [B, V, D].
template <class P>
concept Encodes = requires(P& p, const Images& images) {
  requires std::is_same_v<decltype(p.encode(images)), Tokens>;
};

/// Has width(): D, the width of tokens.
template <class P>
concept HasWidth = requires(const P& p) {
  requires std::is_same_v<decltype(p.width()), std::int64_t>;
};

/// `encode(const Images&)` returns Tokens [B, V, D]; `width()` is D.
template <class P>
concept Policy = Encodes<P> && HasWidth<P>;

namespace backbone {

/// Has features(images): a feature map.
template <class P>
concept HasFeatures = requires(P& p, const Images& images) {
  requires std::is_same_v<decltype(p.features(images)), at::Tensor>;
};

/// Has channels(): C of the feature map.
template <class P>
concept HasChannels = requires(const P& p) {
  requires std::is_same_v<decltype(p.channels()), std::int64_t>;
};

/// A tower of a dual encoder: `last_hidden(images)` returns tokens [B, N, D], `pool(last_hidden)` one vector per image
/// [B, pooled_width()], in the space shared with texts.
template <class P>
concept PoolsImages = requires(P& p, const P& c, const Images& images, const at::Tensor& hidden) {
  requires std::is_same_v<decltype(p.last_hidden(images)), at::Tensor>;
  requires std::is_same_v<decltype(p.pool(hidden)), at::Tensor>;
  requires std::is_same_v<decltype(c.pooled_width()), std::int64_t>;
};

/// `features(const Images&)` returns a map [B, C, h, w]; `channels()` is C.
template <class P>
concept Policy = HasFeatures<P> && HasChannels<P>;

/// Diagnosis of an incomplete backbone, in order, so that one error is printed. Always true.
template <class P>
struct Diagnosis {
  static constexpr bool features = HasFeatures<P>;
  static constexpr bool channels = !features || HasChannels<P>;
  static_assert(features,
                "backbone: features(const Images&) must return torch::Tensor [B, C, h, w] [docs/concepts/visual.md]");
  static_assert(channels,
                "backbone: channels() const must return std::int64_t, the C of its map [docs/concepts/visual.md]");
  static constexpr bool said = true;
};

}  // namespace backbone
}  // namespace rc3::visual
