#pragma once
/// Device of a module.

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <type_traits>

namespace rc3::nn {

/// Device of the parameters of @p module, or of its buffers if it has no parameters. The CPU if it has neither, or is
/// no torch::nn::Module.
template <class M>
at::Device device_of(const M& module) {
  if constexpr (std::is_base_of_v<torch::nn::Module, M>)
    for (const auto& tensors : {module.parameters(), module.buffers()})
      for (const auto& t : tensors)
        if (t.defined()) return t.device();
  return at::kCPU;
}

}  // namespace rc3::nn
