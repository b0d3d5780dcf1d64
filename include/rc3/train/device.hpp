#pragma once
/// Device of a run.

#include <ATen/Context.h>
#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::train {

namespace detail {

/// This process's rank on its machine, from the variables of torchrun and Open MPI; 0 without them.
inline std::int64_t local_rank() {
  for (const char* name : {"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    std::int64_t rank = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
    require(error == std::errc() && end == text.data() + text.size() && rank >= 0, "train::device: the variable ", name,
            " must be a number, is \"", text, '"');
    return rank;
  }
  return 0;
}

}  // namespace detail

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
    gpu = detail::local_rank();
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
