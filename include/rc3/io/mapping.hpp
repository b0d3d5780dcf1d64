#pragma once
/// File mapped into memory, privately: writes never reach the file. LibTorch-free.

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"

namespace rc3::io {

/// Pages are read from the disk on first use, shared with other processes that map the file, and private after a write.
/// @warning Truncating a mapped file ends the process with SIGBUS. Replacing it by a rename, as OutputFile does, is
///         safe.
class Mapping {
 public:
  /// @throws rc3::Error naming the file if the system refuses
  static std::shared_ptr<Mapping> of(const InputFile& file) { return std::shared_ptr<Mapping>(new Mapping(file)); }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ > 0) ::munmap(data_, size_);
  }

  /// Null for an empty file. Writes stay in this process.
  std::byte* data() const { return static_cast<std::byte*>(data_); }
  std::size_t size() const { return size_; }  ///< bytes

 private:
  explicit Mapping(const InputFile& file) : size_(static_cast<std::size_t>(file.size())) {
    if (size_ == 0) return;
    data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.descriptor(), 0);
    if (data_ != MAP_FAILED) return;
    size_ = 0;
    fail(file.path().string(), ": cannot be mapped into memory: ", std::strerror(errno), "; read it instead");
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rc3::io
