#pragma once
/// Weights of a pretrained directory: model.safetensors, or the shards of model.safetensors.index.json.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/safetensors.hpp"

namespace rc3::io {

/// Tensors of a .safetensors file or of a pretrained directory, sharded or not.
class Weights {
 public:
  /// @param path    a directory or a .safetensors file
  /// @param access  whether read() copies or maps a tensor's bytes
  /// @throws rc3::Error if there are no weights, or a file or the index is invalid.
  explicit Weights(const std::filesystem::path& path, safetensors::Access access = safetensors::Access::read)
      : path_(path), access_(access) {
    if (!std::filesystem::is_directory(path)) {
      add(path);
    } else if (std::filesystem::exists(path / "model.safetensors")) {
      add(path / "model.safetensors");
    } else {
      const auto index = path / "model.safetensors.index.json";
      require(std::filesystem::exists(index), path.string(),
              ": has neither model.safetensors nor model.safetensors.index.json");
      add_shards(index);
    }
  }

  /// File of each tensor, by name.
  const std::map<std::string, const safetensors::Reader*>& readers() const { return readers_; }
  const std::filesystem::path& path() const { return path_; }  ///< as it was given
  /// Tensor @p name. @throws rc3::Error if it does not exist.
  at::Tensor read(const std::string& name) const {
    const auto found = readers_.find(name);
    require(found != readers_.end(), path_.string(), ": has no tensor \"", name, '"');
    return found->second->read(name);
  }

 private:
  const safetensors::Reader& open(const std::filesystem::path& file) {
    files_.push_back(std::make_unique<safetensors::Reader>(file, access_));
    return *files_.back();
  }

  void add(const std::filesystem::path& file) {
    const safetensors::Reader& reader = open(file);
    for (const auto& entry : reader.header().entries) readers_.emplace(entry.name, &reader);
  }

  void add_shards(const std::filesystem::path& index) {
    const nlohmann::json json = read_json(index, {.max_bytes = 64 << 20});
    const std::string where = index.string();
    require(json.is_object() && json.contains("weight_map") && json["weight_map"].is_object(), where,
            ": the object \"weight_map\" is missing");
    std::map<std::string, const safetensors::Reader*> shards;
    for (const auto& [name, value] : json["weight_map"].items()) {
      const auto file = as<std::string>(value, name, where);
      // The index names files beside it; it must not refer outside the folder.
      require(!file.empty() && file != ".." && std::filesystem::path(file).filename() == file, where, ": \"", name,
              "\" must name a file in the same folder, names ", file);
      auto& shard = shards[file];
      if (shard == nullptr) shard = &open(index.parent_path() / file);
      require(shard->contains(name), where, ": \"", name, "\" is not in ", file);
      readers_.emplace(name, shard);
    }
  }

  std::filesystem::path path_;
  safetensors::Access access_;
  std::vector<std::unique_ptr<safetensors::Reader>> files_;
  std::map<std::string, const safetensors::Reader*> readers_;
};

}  // namespace rc3::io
