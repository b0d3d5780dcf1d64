#pragma once
/// Writer of a folder that appears complete under its name or not at all. LibTorch-free.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "rc3/core/error.hpp"
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
  CheckpointWriter(std::filesystem::path folder, System& system) : folder_(std::move(folder)), system_(system) {
    temporary_ = folder_;
    temporary_ += ".tmp";
    remove(temporary_);  // of an interrupted save
    check(system_.make_folder(temporary_.c_str()), temporary_, "make the folder");
  }
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;
  ~CheckpointWriter() {
    if (file_ >= 0) system_.close(file_);
    if (committed_) return;
    try {
      remove(temporary_);  // frees the space on a full disk
    } catch (const Error&) {
    }
  }

  /// Starts the file @p name and closes the previous one.
  void begin(const std::string& name) {
    end();
    manifest_.files.push_back({name});
    open(name);
  }

  void write(const void* data, std::size_t size) {
    const char* bytes = static_cast<const char*>(data);
    auto& f = manifest_.files.back();
    f.size += size;
    sum_.add({bytes, size});
    put({bytes, size});
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// @param step, metric  as in Manifest
  void commit(std::int64_t step, std::optional<double> metric) {
    end();
    manifest_.step = step;
    manifest_.metric = metric;
    open(Manifest::name);
    put(manifest_.text());
    close();
    sync(temporary_);
    // An existing folder of this name is moved away first: a run resumed from an older checkpoint reaches this step
    // again.
    auto old = folder_;
    old += ".old.tmp";
    remove(old);
    if (std::filesystem::exists(folder_)) check(system_.rename(folder_.c_str(), old.c_str()), folder_, "rename");
    check(system_.rename(temporary_.c_str(), folder_.c_str()), folder_, "rename");
    committed_ = true;
    sync(folder_.parent_path());
    remove(old);
  }

  /// Removes a folder of files if it exists.
  void remove(const std::filesystem::path& folder) { remove(folder, system_); }
  static void remove(const std::filesystem::path& folder, System& system) {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone))
      check(system.remove_file(entry.path().c_str()), entry.path(), "remove");
    if (!gone) check(system.remove_folder(folder.c_str()), folder, "remove");
  }

 private:
  static void check(std::int64_t result, const std::filesystem::path& path, const char* what) {
    if (result < 0) fail(path.string(), ": cannot ", what, ": ", std::strerror(errno));
  }

  void open(const std::string& name) {
    path_ = temporary_ / name;
    file_ = system_.create(path_.c_str());
    check(file_, path_, "write");
  }
  void put(std::string_view text) {
    constexpr std::size_t most = std::size_t{1} << 30;
    while (!text.empty()) {
      const auto n = system_.write(file_, text.data(), std::min(text.size(), most));
      if (n < 0 && errno == EINTR) continue;
      check(n, path_, "write");
      require(n > 0, path_.string(), ": cannot write: no progress");
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void close() {
    check(system_.fsync(file_), path_, "sync");
    check(system_.close(std::exchange(file_, -1)), path_, "close");
  }
  void end() {
    if (file_ < 0) return;
    close();
    manifest_.files.back().checksum = std::exchange(sum_, {}).value();
  }
  void sync(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder.empty() ? "." : folder;
    const int handle = system_.open_folder(path.c_str());
    check(handle, path, "open");
    const int result = system_.fsync(handle);
    const int why = errno;
    system_.close(handle);
    errno = why;
    check(result, path, "sync");
  }

  std::filesystem::path folder_, temporary_, path_;
  System& system_;
  Manifest manifest_;
  io::Crc32c sum_;
  int file_ = -1;
  bool committed_ = false;
};

}  // namespace rc3::train
