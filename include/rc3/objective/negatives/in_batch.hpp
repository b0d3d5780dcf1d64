#pragma once
/// Negatives of R-XVtCL from the other samples of the batch.

#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/negatives/concept.hpp"

namespace rc3::objective::negatives {

/// The visio-textual embeddings of the other images, without extra candidates.
class InBatch {
 public:
  /// @return three undefined tensors
  template <class Model>
  ExtraNegatives for_a(ForwardCache<Model>&) {
    return {};
  }
  /// @return three undefined tensors
  template <class Model>
  ExtraNegatives for_b(ForwardCache<Model>&) {
    return {};
  }
};

}  // namespace rc3::objective::negatives
