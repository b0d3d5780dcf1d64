#pragma once
/// A model's parameters and buffers in one safetensors file.

#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>

#include "rc3/core/nn/state.hpp"
#include "rc3/io/safetensors.hpp"

namespace rc3::train {

/// Writes @p module to @p path. The old file stays until the new one is complete.
/// @param variant  the type, as `Model<...>::name()` gives it; a load into another variant is refused by it
/// @throws rc3::Error when the file cannot be written
inline void save_checkpoint(const std::filesystem::path& path, const torch::nn::Module& module,
                            const std::string& variant) {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, tensor] : nn::named_state(module)) state.emplace(name, tensor.detach().contiguous());
  io::safetensors::save(path, state, {{"format", "pt"}, {"rc3.variant", variant}});
}

/// Reads @p path into @p module.
/// @throws rc3::Error when the file is damaged, was written by another variant, or lacks, or has besides, a tensor;
///         nothing of the module is then changed
inline void load_checkpoint(const std::filesystem::path& path, torch::nn::Module& module, const std::string& variant) {
  const io::safetensors::Reader reader(path);
  const auto& metadata = reader.header().metadata;
  const auto found = metadata.find("rc3.variant");
  require(found != metadata.end(), path.string(),
          ": has no \"rc3.variant\" in its metadata, it is no checkpoint of rc3");
  require(found->second == variant, path.string(), ": was written by ", found->second, ", the program is ", variant);
  const auto state = nn::named_state(module);
  for (const auto& entry : reader.header().entries)
    require(state.contains(entry.name), path.string(), ": the tensor \"", entry.name, "\" has no place in the model");
  std::map<std::string, at::Tensor> read;
  for (const auto& [name, tensor] : state) {
    require(reader.find(name) != nullptr, path.string(), ": the tensor \"", name, "\" is missing");
    auto value = reader.read(name);
    require(value.sizes() == tensor.sizes() && value.scalar_type() == tensor.scalar_type(), path.string(), ": \"", name,
            "\" is ", value.scalar_type(), ' ', value.sizes(), ", the model wants ", tensor.scalar_type(), ' ',
            tensor.sizes());
    read.emplace(name, std::move(value));
  }
  c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) at::Tensor(tensor).copy_(read.at(name));
}

}  // namespace rc3::train
