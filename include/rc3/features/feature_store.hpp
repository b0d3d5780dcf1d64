#pragma once
/// Frozen features on disk, shared by all runs with the same frozen layers.

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/crc32c.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/safetensors.hpp"

namespace rc3::features {

/// Rows of named tensors by key, in safetensors files ("parts") of one folder. A part is written completely or not at
/// all, and never changes. Several processes may write to one folder; equal rows of both are then stored twice.
///
/// A part has `keys` (uint8 [n, 40], SHA-1 in hexadecimal digits), and for each name the rows' tensors, concatenated
/// along dimension 0, and `<name>.offsets` (int64 [n + 1]). Its metadata hold kind, identity and a CRC-32C.
class FeatureStore {
 public:
  /// A row: tensors by name, which differ in their first size only.
  using Row = std::map<std::string, at::Tensor>;

  /// Opens all parts. A damaged part is deleted, and one of another identity ignored; @p log gets a message for each.
  /// Their rows are then missing, so that they are computed again.
  /// @param folder    parent of all stores; created if necessary
  /// @param kind      what the rows describe, for example "texts"
  /// @param identity  SHA-1 of everything that the features depend on besides the key
  /// @throws rc3::Error if the folder cannot be created
  FeatureStore(const std::filesystem::path& folder, std::string kind, std::string identity,
               std::ostream& log = std::clog)
      : kind_(std::move(kind)), identity_(std::move(identity)), log_(log) {
    require(identity_.size() >= 16, "features::FeatureStore: an identity has 16 characters or more, is \"", identity_,
            '"');
    folder_ = folder / join(kind_, '-', identity_.substr(0, 16));
    io::make_folder(folder_);
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) open(path);
  }
  FeatureStore(const FeatureStore&) = delete;
  FeatureStore& operator=(const FeatureStore&) = delete;
  ~FeatureStore() {
    try {
      flush();
    } catch (const std::exception& error) {
      log_ << "features: not saved: " << error.what() << std::endl;
    }
  }

  /// Folder of the parts: `<kind>-<first 16 characters of the identity>` in the parent.
  const std::filesystem::path& folder() const { return folder_; }
  /// Number of rows on disk.
  std::int64_t size() const { return static_cast<std::int64_t>(at_.size()); }

  /// The row of @p key, views of the mapped file; nullopt if it is not on disk. Tensors without an element are left
  /// out.
  std::optional<Row> find(const std::string& key) const {
    const auto found = at_.find(key);
    if (found == at_.end()) return std::nullopt;
    const auto [part, i] = found->second;
    Row row;
    for (const auto& [name, values] : parts_[part].columns) {
      const auto* offsets = values.offsets.const_data_ptr<std::int64_t>();
      if (offsets[i + 1] > offsets[i])
        row.emplace(name, values.rows.narrow(0, offsets[i], offsets[i + 1] - offsets[i]));
    }
    return row;
  }

  /// Adds a row, which is on disk after flush(), or after many others.
  /// @throws rc3::Error for a key of another length, or if a part cannot be written
  void put(const std::string& key, Row row) {
    require(key.size() == key_size, "features::FeatureStore: a key has ", key_size, " characters, is \"", key, '"');
    for (const auto& [name, tensor] : row) pending_bytes_ += static_cast<std::uint64_t>(tensor.nbytes());
    pending_.emplace_back(key, std::move(row));
    if (pending_bytes_ >= part_bytes) flush();
  }

  /// Writes the rows that put() has received. @throws rc3::Error if the part cannot be written
  void flush() {
    if (pending_.empty()) return;
    // Autocast has no rule for at::cat of half precision on the CPU.
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    std::map<std::string, at::Tensor> tensors;
    auto keys = at::zeros({std::ssize(pending_), key_size}, at::kByte);
    std::map<std::string, std::pair<std::vector<at::Tensor>, std::vector<std::int64_t>>> columns;
    for (const auto& [key, row] : pending_)
      for (const auto& [name, tensor] : row) columns[name].second.assign(1, 0);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const auto& [key, row] = pending_[i];
      std::memcpy(keys.data_ptr<std::uint8_t>() + i * key_size, key.data(), key_size);
      for (auto& [name, column] : columns) {
        auto& [rows, offsets] = column;
        const auto found = row.find(name);
        if (found != row.end()) rows.push_back(found->second);
        offsets.push_back(offsets.back() + (found == row.end() ? 0 : found->second.size(0)));
      }
    }
    tensors.emplace("keys", std::move(keys));
    for (auto& [name, column] : columns) {
      tensors.emplace(name, at::cat(column.first));
      tensors.emplace(name + ".offsets", at::tensor(column.second, at::kLong));
    }
    static std::atomic<unsigned> count{0};
    const auto path =
        folder_ / join("part-", static_cast<long>(::time(nullptr)), '-', ::getpid(), '-', count++, ".safetensors");
    io::safetensors::save(path, tensors,
                          {{"format", "pt"},
                           {"rc3.kind", kind_},
                           {"rc3.identity", identity_},
                           {"rc3.crc32c", std::to_string(checksum(tensors))}});
    pending_.clear();
    pending_bytes_ = 0;
  }

 private:
  static constexpr std::int64_t key_size = 40;
  static constexpr std::uint64_t part_bytes = std::uint64_t{128} << 20;

  struct Column {
    at::Tensor rows, offsets;
  };
  struct Part {
    std::map<std::string, Column> columns;
  };

  static std::uint32_t checksum(const std::map<std::string, at::Tensor>& tensors) {
    io::Crc32c crc;
    for (const auto& [name, tensor] : tensors)
      crc.add(name).add({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
    return crc.value();
  }

  void open(const std::filesystem::path& path) {
    try {
      const io::safetensors::Reader file(path, io::safetensors::Access::mapped);
      const auto& metadata = file.header().metadata;
      const auto value = [&](const char* name) {
        const auto found = metadata.find(name);
        require(found != metadata.end(), path.string(), ": has no \"", name, "\" in its metadata");
        return found->second;
      };
      if (value("rc3.identity") != identity_ || value("rc3.kind") != kind_) {
        log_ << "features: " << path.string() << " was written for other frozen layers, it is ignored" << std::endl;
        return;
      }
      std::map<std::string, at::Tensor> tensors;
      for (const auto& entry : file.header().entries) tensors.emplace(entry.name, file.read(entry.name));
      require(std::to_string(checksum(tensors)) == value("rc3.crc32c"), path.string(), ": its checksum differs");
      add(tensors, path.string());
    } catch (const Error& error) {
      log_ << "features: " << error.what() << "; the file is deleted, its features are computed again" << std::endl;
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    }
  }

  void add(const std::map<std::string, at::Tensor>& tensors, const std::string& path) {
    const auto keys = tensors.find("keys");
    require(keys != tensors.end() && keys->second.dim() == 2 && keys->second.size(1) == key_size &&
                keys->second.scalar_type() == at::kByte,
            path, ": \"keys\" must be uint8 [n, ", key_size, "]");
    const auto n = keys->second.size(0);
    Part part;
    for (const auto& [name, tensor] : tensors) {
      const auto offsets = tensors.find(name + ".offsets");
      if (offsets == tensors.end()) continue;
      const auto& o = offsets->second;
      require(o.dim() == 1 && o.size(0) == n + 1 && o.scalar_type() == at::kLong && tensor.dim() >= 1 &&
                  o[0].item<std::int64_t>() == 0 && o[n].item<std::int64_t>() == tensor.size(0) &&
                  o.diff().ge(0).all().item<bool>(),
              path, ": the offsets of \"", name, "\" do not fit");
      part.columns.emplace(name, Column{tensor, o});
    }
    const auto number = parts_.size();
    parts_.push_back(std::move(part));
    const auto* bytes = reinterpret_cast<const char*>(keys->second.const_data_ptr<std::uint8_t>());
    for (std::int64_t i = 0; i < n; ++i)
      at_.try_emplace(std::string(bytes + i * key_size, key_size), std::pair(number, i));
  }

  std::string kind_, identity_;
  std::ostream& log_;
  std::filesystem::path folder_;
  std::vector<Part> parts_;
  std::unordered_map<std::string, std::pair<std::size_t, std::int64_t>> at_;
  std::vector<std::pair<std::string, Row>> pending_;
  std::uint64_t pending_bytes_ = 0;
};

}  // namespace rc3::features
