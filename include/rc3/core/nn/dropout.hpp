#pragma once
/// Dropout whose random numbers come from all threads and take no memory.

#include <ATen/core/Tensor.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "rc3/core/nn/parallel_rows.hpp"

namespace rc3::nn {

namespace detail {

/// The @p i th number of a stream: a hash of its place. Source: Steele et al., "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014 (SplitMix64).
constexpr std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t i) {
  auto z = seed + (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// @p out[i] is 0 with probability p, else @p in[i] / (1 - p); p is a multiple of 2^-16. A number decides on four
/// elements, and the place of an element on its number: threads do not change the result.
template <class T>
void drop(const T* in, T* out, std::int64_t count, double p, std::int64_t seed) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(p * 65536));
  const std::array<float, 2> choices{0.f, 65536.f / static_cast<float>(65536 - threshold)};
  constexpr std::int64_t block = 32;
  parallel_rows((count + block - 1) / block, 128, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {  // loops of a fixed number of turns, which compilers vectorize
      std::array<float, block> factors, values;
      for (std::int64_t k = 0; k < block / 4; ++k) {
        const auto number = splitmix64(static_cast<std::uint64_t>(seed), static_cast<std::uint64_t>(i * block / 4 + k));
        for (std::int64_t part = 0; part < 4; ++part)
          factors[static_cast<std::size_t>(4 * k + part)] = choices[(number >> (16 * part) & 0xFFFF) >= threshold];
      }
      const auto first = block * i, n = std::min(block, count - first);
      const auto scale = [&](std::int64_t size) {
        for (std::int64_t k = 0; k < size; ++k) values[static_cast<std::size_t>(k)] = static_cast<float>(in[first + k]);
        for (std::int64_t k = 0; k < size; ++k)
          values[static_cast<std::size_t>(k)] *= factors[static_cast<std::size_t>(k)];
        for (std::int64_t k = 0; k < size; ++k) out[first + k] = static_cast<T>(values[static_cast<std::size_t>(k)]);
      };
      if (n == block)
        scale(block);
      else
        scale(n);
    }
  });
}

/// The backward pass draws the same numbers again: only the seed is kept.
struct Dropout : torch::autograd::Function<Dropout> {
  static at::Tensor run(const at::Tensor& x, double p, std::int64_t seed) {
    const auto in = x.contiguous();
    auto out = at::empty_like(in);
    if (in.scalar_type() == at::kFloat)
      drop(in.const_data_ptr<float>(), out.data_ptr<float>(), in.numel(), p, seed);
    else
      drop(in.const_data_ptr<at::BFloat16>(), out.data_ptr<at::BFloat16>(), in.numel(), p, seed);
    return out;
  }
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, double p,
                            std::int64_t seed) {
    context->saved_data["p"] = p;
    context->saved_data["seed"] = seed;
    return run(x, p, seed);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {run(gradients[0], context->saved_data["p"].toDouble(), context->saved_data["seed"].toInt()), {}, {}};
  }

  static std::int64_t draw_seed() { return at::empty({1}, at::kLong).random_().const_data_ptr<std::int64_t>()[0]; }

  /// Whether run() computes it; at::dropout computes the others.
  static bool supports(const at::Tensor& x, double p) {
    return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && p <= 0.99;
  }
};

}  // namespace detail

/// Zeroes elements with probability @p p in training and divides the others by 1 - p, as at::dropout, which draws one
/// number after another: a seventh of a training step went there. One draw of LibTorch's generator is the seed.
/// @param x  float, any shape  @param p  in [0, 1), to a multiple of 2^-16 on the CPU
/// @return the same shape
inline at::Tensor dropout(const at::Tensor& x, double p, bool training) {
  if (!training || p == 0 || x.numel() == 0) return x;
  using detail::Dropout;
  return Dropout::supports(x, p) ? Dropout::apply(x, p, Dropout::draw_seed()) : at::dropout(x, p, training);
}

}  // namespace rc3::nn
