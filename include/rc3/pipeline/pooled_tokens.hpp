#pragma once
/// Tokens of a model for its embeddings alone.

#include "rc3/core/batch.hpp"

namespace rc3::pipeline {

/// Tokens that are pooled and not fused: without the token embeddings that some fusion encoders read.
/// @return Tokens [B, V, D]
template <class M>
Tokens tokens_to_pool(M& model, const Images& images) {
  if constexpr (requires { model.visual(images, false); })
    return model.visual(images, false);
  else
    return model.visual(images);
}
/// The same of texts. @return Tokens [B, L, D]
template <class M>
Tokens tokens_to_pool(M& model, const Texts& texts) {
  if constexpr (requires { model.text(texts, false); })
    return model.text(texts, false);
  else
    return model.text(texts);
}

}  // namespace rc3::pipeline
