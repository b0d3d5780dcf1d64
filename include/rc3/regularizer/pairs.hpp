#pragma once
/// Input of a regularizer.

#include <ATen/core/Tensor.h>

namespace rc3::regularizer {

/// N visio-textual pairs (v_i, x^a_i), (v_i, x^b_i).
struct Pairs {
  at::Tensor similarity;  ///< float [N], s_i = cos(z^a_i, z^b_i) in [-1, 1]; gradient flows into it
  at::Tensor relevance;   ///< float [N], rho_i in [0, 1]; no gradient

  // Only for a regularizer over rows (see Rows), else undefined: M candidates for each pair.
  at::Tensor logits = {};      ///< float [N, M], s_ij / tau; gradient flows into it
  at::Tensor relevances = {};  ///< float [N, M], rho_ij = relevance of x^b_j to x^a_i in [0, 1]; no gradient
};

}  // namespace rc3::regularizer
