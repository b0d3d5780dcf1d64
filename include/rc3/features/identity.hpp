#pragma once
/// Identity of frozen layers: a digest of everything that cached features depend on besides their input.

#include <ATen/autocast_mode.h>
#include <c10/util/hash.h>
#include <torch/nn/module.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/crc32c.hpp"

namespace rc3::features {

namespace detail {

/// Type and tensors that the features of @p policy depend on: those of its backbone with its `lower_state()`, if there
/// is one, else of the policy with all frozen parameters and all buffers.
template <class Policy>
std::pair<std::string, std::map<std::string, at::Tensor>> frozen_state(const Policy& policy) {
  if constexpr (requires { policy.backbone()->lower_state(); }) {
    return {type_name<std::remove_cvref_t<decltype(*policy.backbone())>>(), policy.backbone()->lower_state()};
  } else if constexpr (std::is_base_of_v<torch::nn::Module, Policy>) {
    auto all = nn::named_state(policy);
    std::erase_if(all, [](const auto& item) { return item.second.requires_grad(); });
    return {type_name<Policy>(), std::move(all)};
  } else {
    return {type_name<Policy>(), {}};
  }
}

}  // namespace detail

/// SHA-1, in hexadecimal digits, of the policy's type, frozen parameters and buffers (or its backbone's type and
/// `lower_state()`), the number of frozen text layers, the crops of regions, and the precision in use. Weights are
/// included by name, shape and CRC-32C.
/// @param policy  a visual or text policy; equal for two policies only if they give equal features
template <class Policy>
std::string identity(const Policy& policy) {
  auto [all, tensors] = detail::frozen_state(policy);
  for (const auto& [name, tensor] : tensors) {
    const auto dense = tensor.detach().cpu().contiguous();
    all += join('\n', name, ' ', dense.scalar_type(), ' ', dense.sizes(), ' ',
                io::crc32c({static_cast<const char*>(dense.const_data_ptr()), dense.nbytes()}));
  }
  if constexpr (requires { policy.frozen_layers(); }) all += join("\nlayers ", policy.frozen_layers());
  if constexpr (requires { policy.roi()->options().side, policy.roi()->options().margin; })
    all += join("\ncrops ", policy.roi()->options().side, ' ', policy.roi()->options().margin);
  const auto device = nn::device_of(policy).type();
  if (at::autocast::is_autocast_enabled(device)) all += join('\n', at::autocast::get_autocast_dtype(device));
  return c10::sha1(all).str();
}

}  // namespace rc3::features
