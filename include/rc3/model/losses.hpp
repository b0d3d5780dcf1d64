#pragma once
/// Losses of a training step.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <vector>

#include "rc3/core/communicator.hpp"

namespace rc3 {

/// Losses of one step.
struct Losses {
  at::Tensor total;           ///< scalar with gradient: sum_k w_k L_k
  std::vector<double> parts;  ///< L_k, unweighted, in the order of the objectives
};

/// A rank's share of a loss that is a mean over all ranks' samples, the same number on each. The loss is the sum of the
/// shares.
template <Communicator Comm>
Losses share_of(const Losses& mine, const Comm& comm) {
  const auto share = 1.0 / static_cast<double>(comm.size());
  Losses out{mine.total * share, mine.parts};
  for (double& part : out.parts) part *= share;
  return out;
}

}  // namespace rc3
