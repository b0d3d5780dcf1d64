#pragma once
/// Relevance that comes with the data.

#include <ATen/TensorOperators.h>
#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::relevance {

/// rho_i = Batch::relevance[i].
class Provided {
 public:
  /// @throws rc3::Error if the batch has no relevance, or one outside [0, 1]
  at::Tensor score(const Batch& batch) {
    check_shape("relevance::Provided", "relevance", batch.relevance, {{'B', batch.size()}});
    check_floating("relevance::Provided", "relevance", batch.relevance);
    require(((batch.relevance >= 0) & (batch.relevance <= 1)).all().item<bool>(),
            "relevance::Provided: relevance must lie in [0, 1]");
    return batch.relevance.detach();
  }
};

static_assert(Policy<Provided>);

}  // namespace rc3::relevance
