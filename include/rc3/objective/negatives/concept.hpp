#pragma once
/// Concept of a negatives policy of R-XVtCL, see docs/concepts/objective.md.

#include <ATen/core/Tensor.h>

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::objective::negatives {

/// Candidates of one direction beyond the other samples of the batch: z, not normalised.
struct ExtraNegatives {
  at::Tensor per_row = {};  ///< float [N, D], one candidate per row; a row of zeros has none; undefined: no row has one
  at::Tensor shared = {};   ///< float [M, D], candidates for every row, no gradient; undefined: none
  at::Tensor allowed = {};  ///< bool [N, M], false where a shared candidate is a false negative
};

/// `for_a(ForwardCache&)` returns candidates for the anchors z^a, `for_b(ForwardCache&)` for the anchors z^b. Optional:
/// `after(ForwardCache&)`, called at the end of each training step.
template <class P, class Model>
concept Policy = requires(P& p, ForwardCache<Model>& forward) {
  requires std::is_same_v<decltype(p.for_a(forward)), ExtraNegatives>;
  requires std::is_same_v<decltype(p.for_b(forward)), ExtraNegatives>;
};

}  // namespace rc3::objective::negatives
