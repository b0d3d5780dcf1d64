#pragma once
/// System calls of a save, as a policy: tests replace it by one that fails.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace rc3::io {

/// POSIX. Each returns -1, with errno, on failure.
struct System {
  /// New file to write; fails if it exists.
  int create(const char* path) { return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }
  int open_folder(const char* path) { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }
  /// Bytes written, maybe fewer than @p size.
  ssize_t write(int file, const void* data, std::size_t size) { return ::write(file, data, size); }
  int fsync(int file) { return ::fsync(file); }
  int close(int file) { return ::close(file); }
  int rename(const char* from, const char* to) { return std::rename(from, to); }
  /// Exchanges two folders in one step; EINVAL or ENOSYS where the file system cannot.
  int exchange(const char* one, const char* other) {
    return ::renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
  }
  int make_folder(const char* path) { return ::mkdir(path, 0777); }
  int remove_file(const char* path) { return ::unlink(path); }
  int remove_folder(const char* path) { return ::rmdir(path); }
};

}  // namespace rc3::io
