#pragma once
/// Checkpoints as safetensors files: a model's tensors, or the full state of a run.

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <torch/nn/module.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "rc3/core/nn/state.hpp"
#include "rc3/core/state_dict.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/io/state.hpp"
#include "rc3/train/checkpoint/run_state.hpp"
#include "rc3/train/checkpoint/store.hpp"

namespace rc3::train {

/// @throws rc3::Error unless @p path, opened by @p reader, was written by @p variant
inline void check_variant(const io::safetensors::Reader& reader, const std::filesystem::path& path,
                          const std::string& variant) {
  const auto& metadata = reader.header().metadata;
  const auto found = metadata.find("rc3.variant");
  require(found != metadata.end(), path.string(),
          ": has no \"rc3.variant\" in its metadata, it is no checkpoint of rc3");
  require(found->second == variant, path.string(), ": was written by ", found->second, ", the program is ", variant);
}

/// The tensors of @p path, which must have the names, shapes and types of @p wanted.
/// @param variant  the type, as from `Model<...>::name()`
/// @throws rc3::Error for a damaged file, a file of another variant, or a missing or extra tensor
inline StateDict read_state(const std::filesystem::path& path, const StateDict& wanted, const std::string& variant) {
  const io::safetensors::Reader reader(path);
  check_variant(reader, path, variant);
  return io::read_state(reader, path.string(), wanted);
}

/// All tensors of @p path. @throws rc3::Error if it is damaged or of another variant
inline StateDict read_state(const std::filesystem::path& path, const std::string& variant) {
  const io::safetensors::Reader reader(path);
  check_variant(reader, path, variant);
  StateDict read;
  for (const auto& entry : reader.header().entries) read.emplace(entry.name, reader.read(entry.name));
  return read;
}

/// Copies @p values into the tensors of @p state, which has the same names.
inline void copy_state(const StateDict& state, const StateDict& values) {
  c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) at::Tensor(tensor).copy_(values.at(name));
}

/// Writes @p module to @p path. The old file stays until the new one is complete.
/// @param variant  the type, as from `Model<...>::name()`; other variants refuse the file
/// @throws rc3::Error if the file cannot be written
inline void save_checkpoint(const std::filesystem::path& path, const torch::nn::Module& module,
                            const std::string& variant) {
  io::safetensors::save(path, nn::named_state(module), {{"format", "pt"}, {"rc3.variant", variant}});
}

/// Reads @p path into @p module. @throws rc3::Error as read_state; the module is then unchanged
inline void load_checkpoint(const std::filesystem::path& path, torch::nn::Module& module, const std::string& variant) {
  const auto state = nn::named_state(module);
  copy_state(state, read_state(path, state, variant));
}

/// Full state of a run, as files of tensors ("model", "optimizer", ...) and counters.
struct Snapshot {
  std::string variant;                     ///< the type, as from `name()`
  std::map<std::string, StateDict> files;  ///< by name without ".safetensors"
  RunState state;                          ///< state.json
  nlohmann::ordered_json configuration;    ///< configuration.json
  nlohmann::ordered_json sources = {};     ///< provenance.json: origin of its values; null: not written

  /// A copy in CPU memory, which the next step does not change.
  Snapshot copied() const {
    c10::NoGradGuard no_grad;
    Snapshot copy = *this;
    for (auto& [file, tensors] : copy.files)
      for (auto& [name, tensor] : tensors) tensor = tensor.detach().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    return copy;
  }

  /// Writes the files of a checkpoint. @tparam Writer  a CheckpointWriter
  template <class Writer>
  void write(Writer& writer) const {
    for (const auto& [file, tensors] : files) {
      const std::string name = file + ".safetensors";
      writer.begin(name);
      io::safetensors::write(writer, name, tensors, {{"format", "pt"}, {"rc3.variant", variant}});
    }
    writer.begin(RunState::name);
    writer.write(state.text());
    writer.begin("configuration.json");
    writer.write(configuration.dump(2) + '\n');
    if (sources.is_null()) return;
    writer.begin("provenance.json");
    writer.write(sources.dump(2) + '\n');
  }
};

}  // namespace rc3::train
