#pragma once
/// A text policy of one number a text, and batches for it.

#include "rc3/relevance/encoder.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/tensors.hpp"

namespace rc3::test {

/// A text is one id, its vector a row of a table.
struct Table : torch::nn::Module {
  explicit Table(std::int64_t rows, std::int64_t width = 6) {
    torch::manual_seed(5);
    rows_ = register_parameter("rows", at::randn({rows, width}, at::kDouble));
  }
  rc3::Tokens encode(const Texts& texts) {
    encoded += texts.size();
    return {rows_.index_select(0, texts.ids.flatten()).unsqueeze(1), texts.mask};
  }
  at::Tensor pool(const rc3::Tokens& tokens) { return tokens.values.select(1, 0); }
  std::int64_t width() const { return rows_.size(1); }

  at::Tensor rows_;
  std::int64_t encoded = 0;
};

using Encoder = rc3::relevance::Encoder<Table>;

inline Texts texts(const std::vector<std::int64_t>& ids) {
  const auto t = at::tensor(ids, at::kLong).unsqueeze(1);
  return {t, at::ones_like(t, at::kBool), {}};
}

inline Batch batch_of(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b, bool with_ids = true) {
  Batch batch;
  batch.a = texts(a);
  batch.b = texts(b);
  batch.image_ids = at::arange(static_cast<std::int64_t>(a.size()));
  if (with_ids) {
    batch.caption_a_ids = at::tensor(a, at::kLong);
    batch.caption_b_ids = at::tensor(b, at::kLong);
  }
  return batch;
}

inline double cosine(const Vector& a, const Vector& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

/// A table whose row n + i is near row i: texts and their translations.
inline std::shared_ptr<Table> translations(std::int64_t n) {
  auto table = std::make_shared<Table>(2 * n);
  const torch::NoGradGuard no_grad;
  table->rows_.slice(0, n).copy_(table->rows_.slice(0, 0, n) + 0.5 * at::randn({n, table->width()}, at::kDouble) + 1);
  table->rows_.slice(0, 0, n).add_(1);  // all texts share a direction, as those of multilingual-e5 do
  return table;
}

}  // namespace rc3::test
