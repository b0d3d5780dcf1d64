#pragma once
/// State of an indexed file: whether it has changed since. LibTorch-free.

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "rc3/io/crc32c.hpp"
#include "rc3/io/file.hpp"

namespace rc3::search {

/// Size, time and checksum of a file. Equal sizes and times: the file is unchanged. If only the time differs, the
/// checksum decides: a copy or a `touch` changes nothing.
struct FileState {
  std::int64_t size = -1;      ///< bytes; -1: not a file
  std::int64_t modified = 0;   ///< nanoseconds since 1970; 0: unknown, the checksum decides
  std::uint32_t checksum = 0;  ///< CRC-32C of the content

  friend bool operator==(const FileState&, const FileState&) = default;
};

/// State of each indexed file, by its name in the index.
using FileStates = std::map<std::string, FileState, std::less<>>;

/// Time of the last modification, nanoseconds since 1970.
inline std::int64_t modified_of(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// CRC-32C of the content of the file @p path, in constant memory. @throws rc3::Error if it cannot be read
inline std::uint32_t checksum_of(const std::filesystem::path& path) {
  const io::InputFile file(path);
  io::Crc32c checksum;
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::uint64_t at = 0; at < file.size(); at += buffer.size()) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), file.size() - at));
    file.read(buffer.data(), size, at);
    checksum.add(std::string_view(buffer).substr(0, size));
  }
  return checksum.value();
}

}  // namespace rc3::search
