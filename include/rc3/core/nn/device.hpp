#pragma once
/// Where a module computes.

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <type_traits>

namespace rc3::nn {

/// Where the parameters of @p module lie, or of one without parameters its buffers; the CPU where there are none, or
/// @p module is no torch::nn::Module.
template <class M>
at::Device device_of(const M& module) {
  if constexpr (std::is_base_of_v<torch::nn::Module, M>)
    for (const auto& tensors : {module.parameters(), module.buffers()})
      for (const auto& t : tensors)
        if (t.defined()) return t.device();
  return at::kCPU;
}

}  // namespace rc3::nn
