#pragma once
/// Writer of a checkpoint: a folder that appears complete under its name or not at all. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/io/folder_writer.hpp"
#include "rc3/io/system.hpp"
#include "rc3/train/checkpoint/manifest.hpp"

namespace rc3::train {

/// Writes `FOLDER.tmp`, with each file synced and the manifest last; commit() renames it. Without a commit, an existing
/// folder of that name stays unchanged.
/// @tparam System  io::System, or a replacement in tests
template <class System = io::System>
class CheckpointWriter {
 public:
  /// @throws rc3::Error naming path and reason, as every member function
  CheckpointWriter(std::filesystem::path folder, System& system) : folder_(std::move(folder), system) {}

  /// Starts the file @p name and closes the previous one.
  void begin(const std::string& name) { folder_.begin(name); }
  /// Appends @p size bytes to the file that begin() started.
  void write(const void* data, std::size_t size) { folder_.write(data, size); }
  void write(std::string_view text) { folder_.write(text); }

  /// @param step, metric  as in Manifest
  void commit(std::int64_t step, std::optional<double> metric) {
    Manifest manifest;
    manifest.step = step;
    manifest.metric = metric;
    manifest.files = folder_.files();
    folder_.begin(Manifest::name);
    folder_.write(manifest.text());
    folder_.commit();
  }

  /// Removes a folder of files if it exists.
  static void remove(const std::filesystem::path& folder, System& system) {
    io::FolderWriter<System>::remove(folder, system);
  }

 private:
  io::FolderWriter<System> folder_;
};

}  // namespace rc3::train
