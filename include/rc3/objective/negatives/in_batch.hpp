#pragma once
/// Negatives of R-XVtCL from the other samples of the batch.

#include <ATen/core/Tensor.h>

#include "rc3/objective/pass.hpp"

namespace rc3::objective::negatives {

/// The other pictures' visio-textual vectors, and nothing more.
class InBatch {
 public:
  /// @return undefined: no further negatives
  template <class Model>
  at::Tensor more_for_a(Pass<Model>&) {
    return {};
  }
  template <class Model>
  at::Tensor more_for_b(Pass<Model>&) {
    return {};
  }
};

}  // namespace rc3::objective::negatives
