#pragma once
/// Pairs with rows, for tests of regularizers.

#include "rc3/regularizer/pairs.hpp"

#include <vector>

#include "support/tensors.hpp"

namespace rc3::test {

inline at::Tensor doubles(std::vector<double> values) { return at::tensor(values, at::kDouble); }

/// Of similarities in [-1, 1], with gradient, and relevances in [0, 1].
inline regularizer::Pairs random_pairs(std::int64_t n) {
  torch::manual_seed(5);
  return {(at::rand({n}, at::kDouble) * 2 - 1).requires_grad_(), at::rand({n}, at::kDouble),
          (at::randn({n, n}, at::kDouble) * 3).requires_grad_(), at::rand({n, n}, at::kDouble)};
}

}  // namespace rc3::test
