#pragma once
/// What a negatives policy of R-XVtCL must offer. See docs/concepts/objective.md.

#include <ATen/core/Tensor.h>

#include <type_traits>

#include "rc3/fwd.hpp"

namespace rc3::objective::negatives {

/// Further candidates of one direction, beside the other samples of the batch; vectors z, not normalised.
struct More {
  at::Tensor own = {};      ///< float [N, D], one candidate a row; a row of zeros has none; undefined: no row has one
  at::Tensor shared = {};   ///< float [M, D], candidates of every row, no gradient; undefined: none
  at::Tensor allowed = {};  ///< bool [N, M], false where a shared candidate is a false negative
};

/// `for_a(Pass&)`: candidates for the anchors z^a, `for_b(Pass&)`: for the anchors z^b. Optional: `after(Pass&)`,
/// called at the end of each training step.
template <class P, class Model>
concept Policy = requires(P& p, Pass<Model>& pass) {
  requires std::is_same_v<decltype(p.for_a(pass)), More>;
  requires std::is_same_v<decltype(p.for_b(pass)), More>;
};

}  // namespace rc3::objective::negatives
