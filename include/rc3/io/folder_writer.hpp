#pragma once
/// Writer of a folder that appears complete under its name or not at all.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/crc32c.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/system.hpp"

namespace rc3::io {

/// A written file of a folder.
struct FolderFile {
  std::string name;            ///< in the folder, without a path
  std::uint64_t size = 0;      ///< bytes
  std::uint32_t checksum = 0;  ///< CRC-32C
};

/// Writes `FOLDER.tmp`, with each file synced; commit() gives it the name FOLDER. Without a commit, an existing folder
/// of that name stays unchanged.
/// @tparam System  io::System, or a replacement in tests
template <class System = io::System>
class FolderWriter {
 public:
  /// @throws rc3::Error naming path and reason, as every member function
  FolderWriter(std::filesystem::path folder, System& system) : folder_(std::move(folder)), system_(system) {
    temporary_ = folder_;
    temporary_ += ".tmp";
    remove(temporary_);  // of an interrupted save
    check(system_.make_folder(temporary_.c_str()), temporary_, "make the folder");
  }
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;
  ~FolderWriter() {
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
    files_.push_back({name});
    path_ = temporary_ / name;
    file_ = system_.create(path_.c_str());
    check(file_, path_, "write");
  }

  /// Appends @p size bytes to the file that begin() started.
  void write(const void* data, std::size_t size) {
    std::string_view left(static_cast<const char*>(data), size);
    files_.back().size += size;
    sum_.add(left);
    constexpr std::size_t most = std::size_t{1} << 30;
    while (!left.empty()) {
      const auto n = system_.write(file_, left.data(), std::min(left.size(), most));
      if (n < 0 && errno == EINTR) continue;
      check(n, path_, "write");
      require(n > 0, path_.string(), ": cannot write: no progress");
      left.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// The files so far. Closes the current one.
  const std::vector<FolderFile>& files() {
    end();
    return files_;
  }

  /// Gives the folder its name. An existing folder of this name is exchanged in one step where the file system can, so
  /// that one of the two is there at each moment.
  void commit() {
    end();
    sync(temporary_);
    auto old = folder_;
    old += ".old.tmp";
    remove(old);
    if (std::filesystem::exists(folder_)) {
      if (system_.exchange(temporary_.c_str(), folder_.c_str()) == 0) {
        committed_ = true;
        sync(folder_.parent_path());
        return remove(temporary_);
      }
      check(errno == EINVAL || errno == ENOSYS ? 0 : -1, folder_, "rename");
      check(system_.rename(folder_.c_str(), old.c_str()), folder_, "rename");
    }
    check(system_.rename(temporary_.c_str(), folder_.c_str()), folder_, "rename");
    committed_ = true;
    sync(folder_.parent_path());
    remove(old);
  }

  /// Removes a folder of files if it exists.
  void remove(const std::filesystem::path& folder) { remove(folder, system_); }
  /// The same without a writer. @throws rc3::Error naming path and reason
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

  void end() {
    if (file_ < 0) return;
    check(system_.fsync(file_), path_, "sync");
    check(system_.close(std::exchange(file_, -1)), path_, "close");
    files_.back().checksum = std::exchange(sum_, {}).value();
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
  std::vector<FolderFile> files_;
  Crc32c sum_;
  int file_ = -1;
  bool committed_ = false;
};

/// @throws rc3::Error naming the first of @p files that is missing in @p folder, of another size, or changed
inline void verify_files(const std::filesystem::path& folder, const std::vector<FolderFile>& files,
                         std::string_view list) {
  std::string block(1 << 20, '\0');
  for (const FolderFile& f : files) {
    const InputFile file(folder / f.name);
    require(file.size() == f.size, file.path().string(), ": has ", file.size(), " bytes, ", list, " says ", f.size);
    Crc32c sum;
    for (std::uint64_t at = 0; at < f.size; at += block.size()) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), f.size - at));
      file.read(block.data(), size, at);
      sum.add({block.data(), size});
    }
    require(sum.value() == f.checksum, file.path().string(), ": damaged: its check sum is not that of ", list);
  }
}

}  // namespace rc3::io
