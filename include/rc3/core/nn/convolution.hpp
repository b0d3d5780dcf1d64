#pragma once
/// Convolution and ReLU6 in one operator, for inference.

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/hardtanh.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace rc3::nn {

namespace detail {

/// oneDNN's convolution with an activation, an operator of LibTorch's compiler; none without oneDNN.
inline const std::optional<c10::OperatorHandle>& fused_convolution() {
  static const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise", ""});
  return found;
}

/// Whether this processor has bfloat16 instructions that oneDNN uses.
inline bool has_bfloat16() {
  static const bool supported = [] {
    const auto asks = c10::Dispatcher::singleton().findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
    return asks && asks->typed<bool()>().call();
  }();
  return supported;
}

}  // namespace detail

/// Convolution, and ReLU6 if @p relu6: on the CPU one pass over the result instead of two. Without gradient only.
/// @param x       float [B, C, H, W]
/// @param weight  float [out, C / groups, k, k]
/// @param bias    float [out]
/// @return [B, out, h, w], bfloat16 under its autocast
inline at::Tensor convolution(at::Tensor x, at::Tensor weight, at::Tensor bias, std::int64_t stride,
                              std::int64_t padding, std::int64_t groups, bool relu6) {
  const bool half =
      at::autocast::is_autocast_enabled(at::kCPU) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
  const bool known = x.scalar_type() == at::kFloat || (half && x.scalar_type() == at::kBFloat16);
  if (x.device().is_cpu() && weight.scalar_type() == at::kFloat && known && (!half || detail::has_bfloat16()) &&
      at::globalContext().userEnabledMkldnn() && detail::fused_convolution()) {
    const auto type = half ? at::kBFloat16 : at::kFloat;
    c10::List<std::optional<at::Scalar>> limits;
    if (relu6) limits = {std::optional<at::Scalar>(0), std::optional<at::Scalar>(6)};
    using Sizes = std::vector<std::int64_t>;
    torch::jit::Stack stack{x.to(type),
                            weight.to(type),
                            bias.to(type),
                            Sizes{padding, padding},
                            Sizes{stride, stride},
                            Sizes{1, 1},
                            groups,
                            relu6 ? "hardtanh" : "none",
                            limits,
                            c10::IValue()};
    detail::fused_convolution()->callBoxed(stack);
    return stack[0].toTensor();
  }
  auto y = at::conv2d(x, weight, bias, stride, padding, 1, groups);
  return relu6 ? at::hardtanh_(y, 0, 6) : y;
}

}  // namespace rc3::nn
