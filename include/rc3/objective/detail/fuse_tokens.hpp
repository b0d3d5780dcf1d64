#pragma once
/// Fused tokens of a model, with one clear error for a model that has none.

#include <type_traits>

#include "rc3/core/batch.hpp"

namespace rc3::objective::detail {

/// Requirement of Mlm, Mclm, Mrm and task::Translator on a model.
template <class Model>
Fused fuse_tokens(Model& model, const Tokens& visual, const Tokens& text) {
  static constexpr bool gives_tokens = requires {
    requires std::is_same_v<decltype(model.fuse_tokens(visual, text)), Fused>;
  };
  static_assert(gives_tokens,
                "objective::Mlm, Mclm and Mrm and task::Translator read single tokens: the fusion policy must offer "
                "fuse_tokens(const "
                "Tokens&, const Tokens&), which returns rc3::Fused [docs/concepts/fusion.md]");
  if constexpr (gives_tokens) return model.fuse_tokens(visual, text);
}

}  // namespace rc3::objective::detail
