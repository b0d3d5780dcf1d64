#pragma once
/// The activations of transformer blocks: three forms of GELU, which differ by up to 0.02 and are not interchangeable.

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/sigmoid.h>
#include <c10/core/GradMode.h>

namespace rc3::nn {

/// Source: Hendrycks and Gimpel 2016 (GELU), which gives the exact form and both approximations.
enum class Activation {
  gelu,       ///< x Phi(x), with erf: BERT, XLM-R, ViT
  gelu_tanh,  ///< the tanh approximation: SigLIP
  quick_gelu  ///< x sigmoid(1.702 x): CLIP
};

/// @param x  float, any shape. @return the same shape
inline at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::gelu:
      break;
  }
  return at::gelu(x);
}

/// @param gradient  of activate(x)  @return that of @p x
inline at::Tensor activate_backward(Activation activation, const at::Tensor& gradient, const at::Tensor& x) {
  if (activation != Activation::quick_gelu)
    return at::gelu_backward(gradient, x, activation == Activation::gelu_tanh ? "tanh" : "none");
  const auto s = at::sigmoid(1.702 * x);
  return gradient * s * (1 + 1.702 * x * (1 - s));
}

/// The same as activate(); without gradient, values of @p x may be overwritten: give one that nothing else reads.
inline at::Tensor activate_in_place(Activation activation, at::Tensor x) {
  if (at::GradMode::is_enabled() || activation == Activation::quick_gelu) return activate(activation, x);
  return at::gelu_(x, activation == Activation::gelu_tanh ? "tanh" : "none");
}

}  // namespace rc3::nn
