#pragma once
/// Identity of a pipeline: a text that differs if its embeddings may.

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "rc3/config/json.hpp"
#include "rc3/core/digits.hpp"
#include "rc3/core/nn/state.hpp"
#include "rc3/core/type_name.hpp"
#include "rc3/io/crc32c.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/pipeline/pipeline.hpp"

namespace rc3::pipeline {

/// Sum of the version counters of all weights. Every change of a weight raises it.
inline std::uint64_t weights_version(const torch::nn::Module& module) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : nn::named_state(module))
    sum += tensor.is_inference() ? 0 : static_cast<std::uint64_t>(tensor._version());
  return sum;
}

/// CRC-32C of the model.safetensors that rc3::save would write. Reads all weights: a third of a second for 500 MB.
template <class M>
std::uint32_t weights_checksum(const M& model) {
  struct Sink {
    io::Crc32c sum;
    void write(const void* data, std::size_t size) { sum.add({static_cast<const char*>(data), size}); }
  } sink;
  io::safetensors::write(sink, "model.safetensors", nn::named_state(model),
                         {{"format", "pt"}, {"rc3.variant", type_name<M>()}});
  return sink.sum.value();
}

/// Checksums of the weights, the image preparation and the tokenizer's options. An index stores it, so that the vectors
/// of two models never meet. It is the same before rc3::save and after rc3::load.
template <class M>
std::string identity_of(const Pipeline<M>& pipeline) {
  auto images = config::to_json(pipeline.images);
  if (!pipeline.images.pad) images.erase("pad");  // an index of before this option keeps its model
  std::string rest = images.dump();
  if constexpr (requires { config::to_json(pipeline.tokenizer.options()); })
    rest += config::to_json(pipeline.tokenizer.options()).dump();
  else if constexpr (requires { pipeline.tokenizer.options_json(); })
    rest += pipeline.tokenizer.options_json();
  std::string weights;
  if constexpr (std::is_base_of_v<torch::nn::Module, M>) {
    const bool known =
        !pipeline.checksum.value.empty() && weights_version(*pipeline.model) == pipeline.checksum.version;
    weights = known ? pipeline.checksum.value : hexadecimal(weights_checksum(*pipeline.model));
  }
  return weights + '-' + hexadecimal(io::crc32c(rest));
}

}  // namespace rc3::pipeline
