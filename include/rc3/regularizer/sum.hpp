#pragma once
/// Weighted sum of several regularizers.

#include <ATen/TensorOperators.h>

#include <array>
#include <tuple>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/pairs.hpp"

namespace rc3::regularizer {

/// Omega = sum_k f_k Omega_k. InfoNCE weights of several parts are multiplied and normalised to mean 1.
/// @tparam Parts  regularizer::Policy each
template <class... Parts>
class Sum {
  static constexpr bool all = (Policy<Parts> && ...);
  static_assert(
      all && sizeof...(Parts) > 0,
      "regularizer::Sum<Parts...>: each part needs penalty(const regularizer::Pairs&) const, which must return "
      "torch::Tensor [docs/concepts/regularizer.md]");

 public:
  static constexpr bool uses_rows = (regularizer::uses_rows<Parts> || ...);  ///< whether any part reads rows

  /// All factors f_k are 1.
  explicit Sum(Parts... parts) : parts_(std::move(parts)...) { factors_.fill(1.0); }

  /// @param factors  f_k, one per part, >= 0
  /// @throws rc3::Error for a negative factor
  Sum(std::array<double, sizeof...(Parts)> factors, Parts... parts) : factors_(factors), parts_(std::move(parts)...) {
    for (const double f : factors) require(f >= 0, "regularizer::Sum: factors must not be negative, one is ", f);
  }

  /// @return sum_k f_k Omega_k, a scalar
  at::Tensor penalty(const Pairs& pairs) const {
    return std::apply(
        [&](const Parts&... part) {
          std::size_t k = 0;
          at::Tensor total;
          const auto add = [&](const at::Tensor& omega) {
            const auto term = factors_[k++] * omega;
            total = total.defined() ? total + term : term;
          };
          (add(part.penalty(pairs)), ...);
          return total;
        },
        parts_);
  }

  /// The factors f_k do not apply to the weights.
  /// @param relevance  float [N] in [0, 1]
  /// @return product of the parts' weights, float [N], mean 1 (or all 0)
  at::Tensor weights(const at::Tensor& relevance) const requires(Weighs<Parts> || ...) {
    at::Tensor product;
    const auto multiply = [&](const auto& part) {
      if constexpr (Weighs<std::decay_t<decltype(part)>>) {
        const auto w = part.weights(relevance);
        product = product.defined() ? product * w : w;
      }
    };
    std::apply([&](const Parts&... part) { (multiply(part), ...); }, parts_);
    return product / product.mean().clamp_min(1e-12);
  }

 private:
  std::array<double, sizeof...(Parts)> factors_{};
  std::tuple<Parts...> parts_;
};

}  // namespace rc3::regularizer
