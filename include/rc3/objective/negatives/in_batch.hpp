#pragma once
/// Negatives of R-XVtCL from the other samples of the batch.

#include "rc3/objective/negatives/concept.hpp"
#include "rc3/objective/pass.hpp"

namespace rc3::objective::negatives {

/// The other pictures' visio-textual vectors, and nothing more.
class InBatch {
 public:
  template <class Model>
  More for_a(Pass<Model>&) {
    return {};
  }
  template <class Model>
  More for_b(Pass<Model>&) {
    return {};
  }
};

}  // namespace rc3::objective::negatives
