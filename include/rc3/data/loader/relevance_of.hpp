#pragma once
/// Known relevance of the pairs of a batch.

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <limits>
#include <optional>
#include <vector>

namespace rc3::data {

/// Relevance of each pair, float [B] in [0, 1]; NaN if unknown. Always defined, so that all ranks have a tensor of the
/// same shape.
inline at::Tensor relevance_of(const std::vector<std::optional<float>>& known) {
  std::vector<float> all;
  for (const auto& value : known) all.push_back(value.value_or(std::numeric_limits<float>::quiet_NaN()));
  return at::tensor(all, at::kFloat);
}

}  // namespace rc3::data
