#pragma once
/// Relevance from the data set.

#include <ATen/TensorOperators.h>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::relevance {

/// rho_i = Batch::relevance[i], required for every pair.
class Provided {
 public:
  /// @throws rc3::Error for a batch without relevance, an unknown relevance (NaN), or one outside [0, 1]
  at::Tensor score(const Batch& batch) {
    check_shape("relevance::Provided", "relevance", batch.relevance, {{'B', batch.size()}});
    check_floating("relevance::Provided", "relevance", batch.relevance);
    const auto unknown = batch.relevance.isnan().sum().item<std::int64_t>();
    require(unknown == 0, "relevance::Provided: the relevance of ", unknown, " of ", batch.size(),
            " pairs is unknown; give it with the data, or take relevance::ByAlignment");
    require(((batch.relevance >= 0) & (batch.relevance <= 1)).all().item<bool>(),
            "relevance::Provided: relevance must be in [0, 1]");
    return batch.relevance.detach();
  }
};

static_assert(Policy<Provided>);

}  // namespace rc3::relevance
