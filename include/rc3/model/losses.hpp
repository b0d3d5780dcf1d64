#pragma once
/// What a step has to make smaller.

#include <ATen/core/Tensor.h>

#include <vector>

namespace rc3 {

/// One step's losses.
struct Losses {
  at::Tensor total;           ///< scalar with gradient: sum_k w_k L_k
  std::vector<double> parts;  ///< L_k, unweighted, in the order of the objectives
};

}  // namespace rc3
