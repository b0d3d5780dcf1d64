#pragma once
/// Rows of a tensor as an Eigen matrix. Needs Eigen (Debian: libeigen3-dev): link rc3::eigen beside rc3::rc3.

#include <ATen/core/Tensor.h>

#include <span>

#include <Eigen/Core>

#include "rc3/core/error.hpp"

namespace rc3::pipeline {

/// Matrix of vectors, one a row, in memory of a tensor.
using Rows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// @p vectors as a matrix, without a copy.
/// @param vectors  float [n, E], contiguous, on the CPU; must outlive the result
/// @throws rc3::Error for another tensor
inline Rows rows(const at::Tensor& vectors) {
  require(vectors.defined() && vectors.dim() == 2 && vectors.scalar_type() == at::kFloat && vectors.is_contiguous() &&
              vectors.device().is_cpu(),
          "pipeline::rows: vectors must be float [n, E], contiguous and on the CPU; "
          "vectors.to(at::kCPU, at::kFloat).contiguous() is");
  return Rows(vectors.data_ptr<float>(), vectors.size(0), vectors.size(1));
}

/// Row @p i of @p vectors as a span, as search::Index::add takes it. The arguments are those of rows().
/// @return float [E]  @throws rc3::Error for another tensor, or an index out of range
inline std::span<const float> row(const at::Tensor& vectors, std::int64_t i) {
  const Rows all = rows(vectors);
  require(i >= 0 && i < all.rows(), "pipeline::row: row ", i, " of ", all.rows());
  return {all.data() + i * all.cols(), static_cast<std::size_t>(all.cols())};
}

}  // namespace rc3::pipeline
