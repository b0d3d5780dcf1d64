#pragma once
/// What a regularizer is given.

#include <ATen/core/Tensor.h>

namespace rc3::regularizer {

/// N visio-textual pairs (v_i, x^a_i), (v_i, x^b_i).
struct Pairs {
  at::Tensor similarity;  ///< float [N], s_i = cos(z^a_i, z^b_i) in [-1, 1]; gradient flows into it
  at::Tensor relevance;   ///< float [N], rho_i in [0, 1]; no gradient
};

}  // namespace rc3::regularizer
