#pragma once
/// What tests of tensors share: differences, plain C++ copies to write a formula on, gradients by finite differences.

#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace rc3::test {

/// One thread: on tensors this small, threads that wait for each other cost forty times what they bring.
inline const bool one_thread = (at::set_num_threads(1), true);

/// Largest absolute difference; infinite for other shapes, and where one of them is not a number.
inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0;
  const double most = (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
  return std::isnan(most) ? std::numeric_limits<double>::infinity() : most;
}

/// Whether every number is finite.
inline bool finite(const at::Tensor& t) { return t.isfinite().all().item<bool>(); }

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// A copy of a tensor [n] that plain loops can read.
inline Vector vector_of(const at::Tensor& t) {
  const auto dense = t.detach().to(at::kDouble).contiguous();
  return {dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel()};
}

/// A copy of a tensor [n, m] that plain loops can read.
inline Matrix matrix_of(const at::Tensor& t) {
  Matrix rows;
  for (std::int64_t i = 0; i < t.size(0); ++i) rows.push_back(vector_of(t[i]));
  return rows;
}

/// Largest difference between the gradient that backward() gives and central differences, over all the numbers of
/// @p leaves.
/// @param loss    a function of the leaves, which it reads anew at each call
/// @param leaves  float64, each with requires_grad
inline double gradient_error(const std::function<at::Tensor()>& loss, const std::vector<at::Tensor>& leaves) {
  for (const auto& leaf : leaves) leaf.mutable_grad() = at::Tensor();
  loss().backward();
  double worst = 0;
  for (const auto& leaf : leaves) {
    const auto gradient = leaf.grad().defined() ? leaf.grad().clone() : at::zeros_like(leaf);
    const torch::NoGradGuard no_grad;
    double* values = leaf.data_ptr<double>();
    const auto slopes = vector_of(gradient);
    for (std::int64_t i = 0; i < leaf.numel(); ++i) {
      constexpr double step = 1e-5;
      const double before = values[i];
      values[i] = before + step;
      const double above = loss().item<double>();
      values[i] = before - step;
      const double below = loss().item<double>();
      values[i] = before;
      const double difference = std::abs((above - below) / (2 * step) - slopes[static_cast<std::size_t>(i)]);
      worst = std::isnan(difference) ? difference : std::max(worst, difference);
    }
    if (std::isnan(worst)) return std::numeric_limits<double>::infinity();
  }
  return worst;
}

}  // namespace rc3::test
