#pragma once
/// Compile-time errors for incomplete policies of Model and objectives of Pretrainer. LibTorch-free.
///
/// The compiler chooses the primary templates below if the constraints of the real classes fail (rc3/model/model.hpp,
/// rc3/model/pretrainer.hpp). They assert over bools in order, each only if those before it hold. The compiler then
/// prints one readable error and no instantiation notes.

#include "rc3/fusion/concept.hpp"
#include "rc3/objective/concept.hpp"
#include "rc3/text/concept.hpp"
#include "rc3/visual/concept.hpp"

namespace rc3 {

template <class Visual, class Text, class Fusion>
class Model {
  static constexpr bool visual_encodes = visual::Encodes<Visual>;
  static constexpr bool visual_width = !visual_encodes || visual::HasWidth<Visual>;
  static constexpr bool visual_ok = visual_encodes && visual_width;
  static constexpr bool text_encodes = !visual_ok || text::Encodes<Text>;
  static constexpr bool text_pools = !visual_ok || !text_encodes || text::Pools<Text>;
  static constexpr bool text_width = !visual_ok || !text_encodes || !text_pools || text::HasWidth<Text>;
  static constexpr bool text_ok = visual_ok && text_encodes && text_pools && text_width;
  static constexpr bool fusion_fuses = !text_ok || fusion::Fuses<Fusion>;
  static constexpr bool fusion_width = !text_ok || !fusion_fuses || fusion::HasWidth<Fusion>;

  static_assert(visual_encodes,
                "visual policy: encode(const Images&) must return rc3::Tokens [B, V, D] [docs/concepts/visual.md]");
  static_assert(visual_width,
                "visual policy: width() const must return std::int64_t, the D of its tokens [docs/concepts/visual.md]");
  static_assert(text_encodes,
                "text policy: encode(const Texts&) must return rc3::Tokens [B, L, D] [docs/concepts/text.md]");
  static_assert(text_pools,
                "text policy: pool(const Tokens&) must return torch::Tensor [B, D] [docs/concepts/text.md]");
  static_assert(text_width,
                "text policy: width() const must return std::int64_t, the D of its tokens [docs/concepts/text.md]");
  static_assert(fusion_fuses,
                "fusion policy: fuse(const Tokens&, const Tokens&) must return torch::Tensor [B, D] "
                "[docs/concepts/fusion.md]");
  static_assert(fusion_width,
                "fusion policy: width() const must return std::int64_t, the D of z [docs/concepts/fusion.md]");
};

template <class Model, class... Objectives>
class Pretrainer {
  static constexpr bool any = sizeof...(Objectives) > 0;
  static constexpr bool all = (objective::Policy<Objectives, Model> && ...);

  static_assert(any, "Pretrainer<Model, Objectives...>: give at least one objective [docs/concepts/objective.md]");
  static_assert(all,
                "objective policy: loss(objective::ForwardCache<Model>&) must return torch::Tensor, a scalar "
                "[docs/concepts/objective.md]");
};

}  // namespace rc3
