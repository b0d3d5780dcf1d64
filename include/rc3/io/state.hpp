#pragma once
/// Named tensors of a module in a safetensors file.

#include <string>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/io/safetensors.hpp"

namespace rc3::io {

/// Checks that @p reader has exactly the tensors of @p wanted, with their shapes and types, without reading them.
/// @throws rc3::Error naming @p file and the first missing, extra or different tensor
inline void check_state(const safetensors::Reader& reader, const std::string& file, const StateDict& wanted) {
  for (const auto& entry : reader.header().entries)
    require(wanted.contains(entry.name), file, ": the tensor \"", entry.name, "\" has no place in the model");
  for (const auto& [name, tensor] : wanted) {
    const auto* entry = reader.find(name);
    require(entry != nullptr, file, ": the tensor \"", name, "\" is missing");
    const auto type = safetensors::scalar_type(entry->dtype);
    require(tensor.sizes() == at::IntArrayRef(entry->shape) && tensor.scalar_type() == type, file, ": \"", name,
            "\" is ", type, ' ', at::IntArrayRef(entry->shape), ", the model wants ", tensor.scalar_type(), ' ',
            tensor.sizes());
  }
}

/// The tensors of @p reader, checked as by check_state.
inline StateDict read_state(const safetensors::Reader& reader, const std::string& file, const StateDict& wanted) {
  check_state(reader, file, wanted);
  StateDict read;
  for (const auto& [name, tensor] : wanted) read.emplace(name, reader.read(name));
  return read;
}

}  // namespace rc3::io
