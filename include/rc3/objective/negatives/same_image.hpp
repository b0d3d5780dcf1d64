#pragma once
/// Negatives of R-XVtCL that a model cannot tell apart by looking at the picture alone.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "rc3/objective/negatives/concept.hpp"
#include "rc3/objective/pass.hpp"

namespace rc3::objective::negatives {

/// Beside the other pictures: the same picture with the text of another sample, g(v_i, x_j). Both sides of a positive
/// pair see the same picture, so without these a model can win by copying the picture and ignoring the text.
class SameImage {
 public:
  /// One candidate a row, the vector of picture i with another sample's text b; none where every other sample is a
  /// false negative.
  template <class Model>
  More for_a(Pass<Model>& pass) {
    return mismatched(pass, [&](const at::Tensor& others) { return pass.text_b_of(others); });
  }
  /// The same with another sample's text a, for the other direction.
  template <class Model>
  More for_b(Pass<Model>& pass) {
    return mismatched(pass, [&](const at::Tensor& others) { return pass.text_a_of(others); });
  }

 private:
  template <class Model, class Encode>
  static More mismatched(Pass<Model>& pass, const Encode& texts_of) {
    const auto begin = pass.begin(), n = pass.batch().size(), all = pass.whole().size();
    const auto negatives = true_negatives(pass.whole(), begin, begin + n);
    const auto rows = negatives.any(1).nonzero().squeeze(1);
    if (rows.numel() == 0) return {.own = at::zeros_like(pass.z_a())};
    // The next true negative behind the sample: a fixed choice, so that a step is a function of its batch.
    const auto number = at::arange(all, negatives.device());
    const auto ahead = (number.unsqueeze(0) - number.narrow(0, begin, n).unsqueeze(1)).remainder(all);
    const auto other = ahead.masked_fill(~negatives, all).argmin(1).index_select(0, rows);
    const auto z = pass.model().fuse(pass.visual().select(rows), texts_of(other));
    return {.own = at::zeros({n, z.size(1)}, z.options()).index_copy(0, rows, z)};
  }
};

}  // namespace rc3::objective::negatives
