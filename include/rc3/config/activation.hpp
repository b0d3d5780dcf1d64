#pragma once
/// Names of nn::Activation's values in configurations. LibTorch-free.

#include "rc3/config/fields.hpp"

namespace rc3 {

namespace nn {
enum class Activation;
}  // namespace nn

namespace config {

template <>
struct Names<nn::Activation> {
  static constexpr const char* all[] = {"gelu", "gelu_tanh", "quick_gelu"};
};

}  // namespace config
}  // namespace rc3
