#pragma once
/// Batches without padding: the tokens of all sequences back to back, as rows of one matrix.

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "rc3/core/nn/eight_bits.hpp"
#include "rc3/core/nn/parallel_rows.hpp"

#if defined(__x86_64__)
#include "rc3/core/nn/attention_x86.hpp"
#endif

namespace rc3::nn {

/// Rows of a padded batch that are no padding, and attention between them.
///
/// Sequences are in the order of their lengths. No operator sees padding, attention neither.
class Packing {
 public:
  /// @param mask  bool [B, N] on the CPU, true for a token; at least one in each row
  explicit Packing(const at::Tensor& mask) : b_(mask.size(0)), n_(mask.size(1)) {
    const auto dense = mask.contiguous();
    const bool* tokens = dense.const_data_ptr<bool>();
    std::vector<std::int64_t> lengths(static_cast<std::size_t>(b_)), order(lengths.size());
    for (std::int64_t i = 0; i < b_; ++i)
      lengths[static_cast<std::size_t>(i)] = std::count(tokens + i * n_, tokens + (i + 1) * n_, true);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) {
      return lengths[static_cast<std::size_t>(i)] < lengths[static_cast<std::size_t>(j)];
    });
    std::vector<std::int64_t> rows, firsts(lengths.size());
    for (const auto i : order) {
      firsts[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(rows.size());
      starts_.push_back(static_cast<std::int64_t>(rows.size()));
      lengths_.push_back(lengths[static_cast<std::size_t>(i)]);
      for (std::int64_t k = i * n_; k < (i + 1) * n_; ++k)
        if (tokens[k]) rows.push_back(k);
    }
    rows_ = at::tensor(rows, at::kLong);
    firsts_ = at::tensor(firsts, at::kLong);
    mask_ = dense;
  }

  /// Whether rows without padding save more than they cost: without gradient on the CPU, where a twentieth or more is
  /// padding and each sequence has a token.
  /// @param x     float [B, N, D]
  /// @param mask  bool [B, N]
  static bool pays(const at::Tensor& x, const at::Tensor& mask) {
    // In 8 bits always: rounding would make a difference of two kernels visible between batches.
    const bool always = EightBits::active();
    if (at::GradMode::is_enabled() || !x.device().is_cpu() || !mask.device().is_cpu()) return false;
    if (x.size(0) < 2 && !always) return false;
    const auto dense = mask.contiguous();
    const bool* tokens = dense.const_data_ptr<bool>();
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < mask.size(0); ++i) {
      const auto own = std::count(tokens + i * mask.size(1), tokens + (i + 1) * mask.size(1), true);
      if (own == 0) return false;
      count += own;
    }
    return always || count * 20 <= dense.numel() * 19;
  }

  /// @param x  float [B, N, D]  @return its tokens, float [T, D]
  at::Tensor pack(const at::Tensor& x) const { return x.flatten(0, 1).index_select(0, rows_); }

  /// @param x  float [T, D]  @return float [B, N, D]; padding is zero
  at::Tensor unpack(const at::Tensor& x) const {
    return at::zeros({b_ * n_, x.size(1)}, x.options()).index_copy_(0, rows_, x).view({b_, n_, -1});
  }

  /// First token of each sequence. @param x  float [T, D]  @return float [B, D]
  at::Tensor first(const at::Tensor& x) const { return x.index_select(0, firsts_); }

  /// The mask as attention of padded batches takes it, bool [B, 1, 1, N].
  at::Tensor columns() const { return mask_.unsqueeze(1).unsqueeze(1); }

  /// Scaled dot-product attention of each sequence's tokens to each other.
  /// @param query, key, value  float or bfloat16 [T, D]; D is split into @p heads
  /// @return [T, D]
  at::Tensor attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                       std::int64_t heads) const {
#if defined(__x86_64__)
    static const bool able = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const auto width = query.size(1) / heads;
    if (able && width % 16 == 0 && query.scalar_type() != at::kDouble)
      return by_heads(query.to(at::kFloat), key.to(at::kFloat), value.to(at::kFloat), heads, width)
          .to(query.scalar_type());
#endif
    std::vector<at::Tensor> mixed;  // sequences of one length together
    for (std::size_t begin = 0, end = 0; begin < lengths_.size(); begin = end) {
      while (end < lengths_.size() && lengths_[end] == lengths_[begin]) ++end;
      const auto length = lengths_[begin], count = static_cast<std::int64_t>(end - begin);
      const auto split = [&](const at::Tensor& x) {
        return x.narrow(0, starts_[begin], count * length).view({count, length, heads, -1}).transpose(1, 2);
      };
      mixed.push_back(at::scaled_dot_product_attention(split(query), split(key), split(value))
                          .transpose(1, 2)
                          .reshape({count * length, -1}));
    }
    return at::cat(mixed);
  }

 private:
#if defined(__x86_64__)
  at::Tensor by_heads(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, std::int64_t heads,
                      std::int64_t width) const {
    const auto out = at::empty({query.size(0), heads * width}, at::kFloat);
    const auto count = static_cast<std::int64_t>(lengths_.size());
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(width)));
    // A thread has whole heads, of short and of long sequences.
    parallel_rows(heads * count, 4, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> buffer;
      for (auto i = begin; i < end; ++i) {
        const auto k = static_cast<std::size_t>(i % count);
        const auto first = starts_[k], column = i / count * width;
        const auto at = [&](const at::Tensor& x) { return x.const_data_ptr<float>() + first * x.stride(0) + column; };
        detail::attend_avx512({at(query), at(key), at(value), query.stride(0), key.stride(0), value.stride(0),
                               out.data_ptr<float>() + first * heads * width + column, heads * width},
                              lengths_[k], width, scale, buffer);
      }
    });
    return out;
  }
#endif

  std::int64_t b_, n_;
  at::Tensor mask_;                             // bool [B, N]
  at::Tensor rows_;                             // int64 [T], of the padded batch
  at::Tensor firsts_;                           // int64 [B]: packed row of a sequence's first token
  std::vector<std::int64_t> lengths_, starts_;  // of each sequence, in the packed order; starts in packed rows
};

}  // namespace rc3::nn
