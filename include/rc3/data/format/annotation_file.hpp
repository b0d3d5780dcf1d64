#pragma once
/// Text file of a published data set. LibTorch-free.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/lines.hpp"

namespace rc3::data {

/// Lines of a text file, without a byte order mark (from Windows editors) at its start.
class AnnotationFile {
 public:
  /// @throws rc3::Error as io::Lines, and for a gzip-compressed file, with the command to decompress it
  explicit AnnotationFile(const std::filesystem::path& path, const io::LinesOptions& options = {.max_line = 1 << 20})
      : lines_(unpacked(path), options) {}

  const std::filesystem::path& path() const { return lines_.path(); }
  std::int64_t size() const { return lines_.size(); }
  std::string where(std::int64_t i) const { return lines_.where(i); }

  /// Whether line @p i is empty.
  bool empty(std::int64_t i) const {
    const std::string begin = lines_.read_begin(i, 2);
    return begin == "\n" || begin == "\r\n";
  }

  /// Line @p i of 0 .. size() - 1, without its end. @throws rc3::Error as io::Lines::read
  std::string read(std::int64_t i) const {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    std::string line = lines_.read(i);
    if (i == 0 && line.starts_with(mark)) line.erase(0, mark.size());
    return line;
  }

 private:
  static const std::filesystem::path& unpacked(const std::filesystem::path& path) {
    const io::InputFile file(path);
    std::array<unsigned char, 2> begin{};
    file.read(begin.data(), std::min<std::uint64_t>(begin.size(), file.size()), 0);
    require(begin != std::array<unsigned char, 2>{0x1F, 0x8B}, path.string(),
            ": is gzip-compressed; unpack it first: gunzip -k ", path.string());
    return path;
  }

  io::Lines lines_;
};

}  // namespace rc3::data
