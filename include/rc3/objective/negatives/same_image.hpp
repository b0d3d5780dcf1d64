#pragma once
/// Negatives of R-XVtCL that a model cannot tell apart by looking at the picture alone.

#include <ATen/ops/zeros.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include "rc3/objective/pass.hpp"

namespace rc3::objective::negatives {

/// Beside the other pictures: the same picture with the text of another sample, g(v_i, x_j). Both sides of a positive
/// pair see the same picture, so without these a model can win by copying the picture and ignoring the text.
class SameImage {
 public:
  /// @return float [B, D], for row i the vector of picture i with another sample's text b; zero where every other
  ///         sample is a false negative. Undefined for a batch without any true negative.
  template <class Model>
  at::Tensor more_for_a(Pass<Model>& pass) {
    return mismatched(pass, pass.text_b());
  }
  /// The same with another sample's text a, for the other direction.
  template <class Model>
  at::Tensor more_for_b(Pass<Model>& pass) {
    return mismatched(pass, pass.text_a());
  }

 private:
  template <class Model>
  static at::Tensor mismatched(Pass<Model>& pass, const Tokens& texts) {
    const auto negatives = true_negatives(pass.batch());
    const auto found = negatives.any(1);
    const auto rows = found.nonzero().squeeze(1);
    if (rows.numel() == 0) return {};
    // The next true negative behind the diagonal: a fixed choice, so that a step is a function of its batch.
    const auto n = negatives.size(0);
    const auto ahead = (at::arange(n).unsqueeze(0) - at::arange(n).unsqueeze(1)).remainder(n);
    const auto other = ahead.masked_fill(~negatives, n).argmin(1).index_select(0, rows);
    const auto z = pass.model().fuse(pass.visual().select(rows), texts.select(other));
    return at::zeros({n, z.size(1)}, z.options()).index_copy(0, rows, z);
  }
};

}  // namespace rc3::objective::negatives
