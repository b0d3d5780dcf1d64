#pragma once
/// No regularizer: the plain contrastive baseline.

#include <ATen/ops/zeros.h>

#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = 0.
class None {
 public:
  /// @return 0, a scalar of the similarities' type and device, without gradient
  at::Tensor penalty(const Pairs& pairs) const { return at::zeros({}, pairs.similarity.options()); }
};

static_assert(Policy<None>);

}  // namespace rc3::regularizer
