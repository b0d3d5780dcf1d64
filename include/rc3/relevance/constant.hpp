#pragma once
/// The same relevance for every pair.

#include <ATen/ops/full.h>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"
#include "rc3/relevance/concept.hpp"

namespace rc3::relevance {

/// rho_i = value. With value 1, Ceiling never binds and R-XVtCL is plain InfoNCE.
class Constant {
 public:
  /// @param value  in [0, 1]
  /// @throws rc3::Error for a value out of range
  explicit Constant(double value = 1.0) : value_(value) {
    require(value >= 0 && value <= 1, "relevance::Constant: value must be in [0, 1], is ", value);
  }

  /// @return float [B], all of the value, on the batch's device
  at::Tensor score(const Batch& batch) { return at::full({batch.size()}, value_, options(batch)); }
  /// @return float [end - begin, B], all of the value
  at::Tensor score_rows(const Batch& batch, std::int64_t begin, std::int64_t end) {
    return at::full({end - begin, batch.size()}, value_, options(batch));
  }

 private:
  static at::TensorOptions options(const Batch& batch) { return at::TensorOptions(batch.device()).dtype(at::kFloat); }

  double value_;
};

static_assert(Policy<Constant> && ScoresRows<Constant>);

}  // namespace rc3::relevance
