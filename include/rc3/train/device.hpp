#pragma once
/// Device of a run.

#include <ATen/Context.h>
#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/train/launcher.hpp"

namespace rc3::train {

/// @param wish  "cpu"; "cuda:N", the GPU N; "cuda", the GPU of this machine's local rank, the first without ranks;
///              "auto", as "cuda" if LibTorch has CUDA and a GPU exists, else the CPU
/// @throws rc3::Error for another word, for a LibTorch without CUDA and for a missing GPU
inline at::Device device(std::string_view wish) {
  if (wish == "cpu") return at::kCPU;
  constexpr std::string_view numbered = "cuda:";
  const auto gpus = static_cast<std::int64_t>(torch::cuda::device_count());
  if (wish == "auto" && gpus == 0) return at::kCPU;
  std::int64_t gpu = -1;
  if (wish == "auto" || wish == "cuda") {
    gpu = local_rank();
  } else if (wish.starts_with(numbered)) {
    const auto digits = wish.substr(numbered.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), gpu);
    if (error != std::errc() || end != digits.data() + digits.size()) gpu = -1;
  }
  require(gpu >= 0, "train::device: the device must be \"auto\", \"cpu\", \"cuda\" or \"cuda:N\", is \"", wish, '"');
  require(at::globalContext().hasCUDART(), "train::device: \"", wish, "\": this LibTorch was built without CUDA");
  require(gpus > 0, "train::device: \"", wish, "\": CUDA finds no GPU on this machine");
  require(gpu < gpus, "train::device: \"", wish, "\": there is no GPU ", gpu, ", only 0 to ", gpus - 1,
          wish.starts_with(numbered) ? "" : "; start fewer ranks on this machine");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(gpu)};
}

/// As device(), but also makes it the current device of this thread: tensors on "cuda", and NCCL, then use this rank's
/// GPU.
inline at::Device use_device(std::string_view wish) {
  const auto chosen = device(wish);
  if (!chosen.is_cpu()) c10::impl::VirtualGuardImpl(chosen.type()).setDevice(chosen);
  return chosen;
}

}  // namespace rc3::train
