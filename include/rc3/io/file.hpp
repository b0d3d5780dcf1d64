#pragma once
/// Reading and writing of whole files. A written file appears complete under its name, or not at all.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "rc3/core/error.hpp"

namespace rc3::io {

/// Open file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  /// Owns @p fd, and closes it at the end; -1: none.
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }  ///< -1 after close()
  /// Closes now; false on an error: a full disk may be reported only here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_ = -1;
};

/// File read at offsets; its size is determined when it is opened.
class InputFile {
 public:
  /// @throws rc3::Error naming the file and the reason if @p path is not a readable regular file.
  explicit InputFile(std::filesystem::path path)
      : path_(std::move(path)),
        file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe would wait for its writer
    require(file_.get() >= 0, path_.string(), ": cannot open: ", std::strerror(errno));
    struct stat status {};
    const bool known = ::fstat(file_.get(), &status) == 0;  // before errno is read
    require(known, path_.string(), ": cannot read: ", std::strerror(errno));
    require(S_ISREG(status.st_mode), path_.string(), ": not a file");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  const std::filesystem::path& path() const { return path_; }
  /// Size, bytes.
  std::uint64_t size() const { return size_; }
  /// Open as long as this lives; its offset is not used.
  int descriptor() const { return file_.get(); }

  /// Reads @p size bytes from @p offset into @p out. @throws rc3::Error if the file ends before.
  void read(void* out, std::size_t size, std::uint64_t offset) const {
    constexpr std::size_t most = std::size_t{1} << 30;  // one read() call returns at most 2 GB
    for (std::size_t done = 0; done < size;) {
      const ssize_t n = ::pread(file_.get(), static_cast<char*>(out) + done, std::min(size - done, most),
                                static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      require(n >= 0, path_.string(), ": cannot read: ", std::strerror(errno));
      require(n > 0, path_.string(), ": truncated: ends at byte ", offset + done, ", ", size - done, " more expected");
      done += static_cast<std::size_t>(n);
    }
  }

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

/// Content of the file @p path. @throws rc3::Error if it cannot be read or exceeds @p max_bytes; it is then not read at
/// all.
inline std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  require(file.size() <= max_bytes, path.string(), ": has ", file.size(), " bytes, more than the allowed ", max_bytes);
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  file.read(content.data(), content.size(), 0);
  return content;
}

/// Makes @p folder and those above it; one that is there stays. @throws rc3::Error naming the folder and the reason
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  require(!failed, folder.string(), ": cannot make the folder: ", failed.message());
}

/// Makes a rename in @p folder durable across a power failure.
/// @throws rc3::Error if the folder cannot be opened or synced
inline void sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const Descriptor handle(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool synced = handle.get() >= 0 && ::fsync(handle.get()) == 0;
  require(synced, path.string(), ": cannot sync: ", std::strerror(errno));
}

/// Temporary file beside @p path that takes its name in `commit()`. Without a commit it is removed, and the old file at
/// @p path remains.
class OutputFile {
 public:
  /// @throws rc3::Error if the folder does not exist or is not writable.
  explicit OutputFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
    static std::atomic<unsigned> count{0};  // two threads may save under one name: the last commit wins, complete
    temporary_ += join(".tmp-", ::getpid(), '-', count++);
    file_ = Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    require(file_.get() >= 0, path_.string(), ": cannot write: ", std::strerror(errno));
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Appends @p size bytes. @throws rc3::Error, for example if the disk is full.
  void write(const void* data, std::size_t size) {
    constexpr std::size_t most = std::size_t{1} << 30;
    for (std::size_t done = 0; done < size;) {
      const ssize_t n = ::write(file_.get(), static_cast<const char*>(data) + done, std::min(size - done, most));
      if (n < 0 && errno == EINTR) continue;
      require(n > 0, path_.string(), ": cannot write: ", n == 0 ? "no progress" : std::strerror(errno));
      done += static_cast<std::size_t>(n);
    }
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// fsync, rename, fsync of the folder. @throws rc3::Error if one of them fails.
  void commit() {
    const bool synced = ::fsync(file_.get()) == 0;  // each before errno is read: arguments have no order
    require(synced, path_.string(), ": cannot write: ", std::strerror(errno));
    const bool closed = file_.close();
    require(closed, path_.string(), ": cannot write: ", std::strerror(errno));
    const bool renamed = ::rename(temporary_.c_str(), path_.c_str()) == 0;
    require(renamed, path_.string(), ": cannot rename: ", std::strerror(errno));
    committed_ = true;
    sync_folder(path_.parent_path());
  }

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Descriptor file_;
  bool committed_ = false;
};

/// Writes @p content to @p path: the file is then complete, or unchanged.
inline void write_file(const std::filesystem::path& path, std::string_view content) {
  OutputFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace rc3::io
