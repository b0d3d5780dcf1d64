#pragma once
/// Negatives of R-XVtCL with the same image, which only the text distinguishes.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/negatives/concept.hpp"

namespace rc3::objective::negatives {

/// In addition to the other images: the same image with the text of another sample, g(v_i, x_j). Both sides of a
/// positive pair share the image, so otherwise a model could copy the image and ignore the text.
class SameImage {
 public:
  /// One candidate per row: z of image i with another sample's text b; none where every other sample is a false
  /// negative.
  template <class Model>
  ExtraNegatives for_a(ForwardCache<Model>& forward) {
    return mismatched(forward, [&](const at::Tensor& others) { return forward.text_b_of(others); });
  }
  /// Candidates with another sample's text a, for the other direction.
  template <class Model>
  ExtraNegatives for_b(ForwardCache<Model>& forward) {
    return mismatched(forward, [&](const at::Tensor& others) { return forward.text_a_of(others); });
  }

 private:
  template <class Model, class Encode>
  static ExtraNegatives mismatched(ForwardCache<Model>& forward, const Encode& texts_of) {
    const auto begin = forward.begin(), n = forward.batch().size(), all = forward.whole().size();
    const auto negatives = true_negatives(forward.whole(), begin, begin + n);
    const auto rows = negatives.any(1).nonzero().squeeze(1);
    if (rows.numel() == 0) return {.per_row = at::zeros_like(forward.z_a())};
    // The next true negative after the sample: a fixed choice, so that a step is a function of its batch.
    const auto number = at::arange(all, negatives.device());
    const auto ahead = (number.unsqueeze(0) - number.narrow(0, begin, n).unsqueeze(1)).remainder(all);
    const auto other = ahead.masked_fill(~negatives, all).argmin(1).index_select(0, rows);
    const auto z = forward.model().fuse(forward.visual().select(rows), texts_of(other));
    return {.per_row = at::zeros({n, z.size(1)}, z.options()).index_copy(0, rows, z)};
  }
};

}  // namespace rc3::objective::negatives
