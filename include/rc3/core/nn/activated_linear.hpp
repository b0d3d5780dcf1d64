#pragma once
/// Linear layer of an activation: the second half of a feed-forward block.

#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>

#include "rc3/core/nn/activation.hpp"
#include "rc3/core/nn/linear.hpp"

namespace rc3::nn {

namespace detail {

/// The backward pass computes the activation again. Its output, as wide as its input and the widest tensors of a
/// transformer layer, is not kept.
struct ActivatedLinear : torch::autograd::Function<ActivatedLinear> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t activation) {
    context->save_for_backward({x, weight});
    context->saved_data["activation"] = activation;
    const auto type = x.scalar_type();
    return at::linear(activate(static_cast<Activation>(activation), x), weight.to(type), bias.to(type));
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const auto rows = gradients[0].flatten(0, -2);  // [T, out]
    const auto type = rows.scalar_type();
    at::Tensor of_x, of_weight, of_bias;
    if (context->needs_input_grad(0))
      of_x = activate_backward(activation, rows.mm(weight.to(type)).view(x.sizes()).to(x.scalar_type()), x);
    if (context->needs_input_grad(1))
      of_weight = rows.t().mm(activate(activation, x).flatten(0, -2).to(type)).to(weight.scalar_type());
    if (context->needs_input_grad(2)) of_bias = rows.sum(0).to(weight.scalar_type());
    return {of_x, of_weight, of_bias, {}};
  }
};

}  // namespace detail

/// linear(layer, activate(activation, x)), with less memory in training.
/// @param x  float [..., in], which nothing else reads  @return float [..., out]
inline at::Tensor activated_linear(const torch::nn::Linear& layer, Activation activation, const at::Tensor& x) {
  const bool learns = x.requires_grad() || layer->weight.requires_grad() || layer->bias.requires_grad();
  if (!at::GradMode::is_enabled() || !learns) return linear(layer, activate_in_place(activation, x));
  return detail::ActivatedLinear::apply(x, layer->weight, layer->bias, static_cast<std::int64_t>(activation));
}

}  // namespace rc3::nn
