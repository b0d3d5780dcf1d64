#pragma once
/// Header of a safetensors file, without LibTorch. Every rule of the format is checked, so that the bytes of each
/// tensor can be read without further checks.
///
/// File: u64 little-endian header length N, N bytes of JSON, the tensors' bytes.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/safetensors/entry.hpp"
#include "rc3/io/safetensors/foreign.hpp"
#include "rc3/io/safetensors/header_sax.hpp"

namespace rc3::io::safetensors {

/// Parsed header. The entries are sorted by begin and contiguous.
struct Header {
  std::map<std::string, std::string> metadata;  ///< "__metadata__" of the header
  std::vector<Entry> entries;
  std::uint64_t data_offset = 0;  ///< offset of the tensors' bytes in the file
};

inline constexpr std::uint64_t max_header_bytes = 100'000'000;  ///< as in the format's own library

namespace detail {
/// Number of bytes of the tensor; an error if the product overflows.
inline std::uint64_t byte_count(const Entry& entry, std::string_view name) {
  constexpr std::uint64_t max = std::numeric_limits<std::int64_t>::max();
  std::uint64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t size : entry.shape) {
    // Beside a zero, the other sizes must not make a tensor's strides overflow.
    empty = empty || size == 0;
    overflow |= __builtin_mul_overflow(count, size == 0 ? 1 : static_cast<std::uint64_t>(size), &count);
  }
  std::uint64_t bits = 0;
  overflow |= __builtin_mul_overflow(count, std::uint64_t{dtype_bits(entry.dtype)}, &bits);
  require(!overflow && bits <= max, name, ": tensor \"", entry.name, "\": the size of its shape overflows");
  return empty ? 0 : bits / 8;
}
}  // namespace detail

/// Parses and checks a header.
/// @param json         the N bytes
/// @param buffer_size  bytes of the file after the header
/// @param name         the file, for errors
/// @throws rc3::Error naming @p name and the violated rule.
inline Header parse_header(std::string_view json, std::uint64_t buffer_size, std::string_view name) {
  require(!json.empty() && json.front() == '{', name, ": the header does not begin with '{'");
  require_utf8(json, join(name, ": header"));
  // nlohmann/json treats a NUL as the end of its input and would ignore the rest.
  require(json.find('\0') == std::string_view::npos, name, ": the header holds a NUL byte");

  Header header;
  detail::parse_header_json(json, name, header.metadata, header.entries);

  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : a.name < b.name;
  });
  std::uint64_t end = 0;
  for (const Entry& entry : header.entries) {
    require(entry.begin <= entry.end, name, ": tensor \"", entry.name, "\": ends before it begins");
    require(entry.begin >= end, name, ": tensor \"", entry.name, "\": overlaps the one before it");
    require(entry.begin == end, name, ": tensor \"", entry.name, "\": a hole of ", entry.begin - end,
            " bytes before it");
    const std::uint64_t bytes = detail::byte_count(entry, name);
    require(bytes == entry.end - entry.begin, name, ": tensor \"", entry.name, "\": its shape has ", bytes,
            " bytes, its offsets ", entry.end - entry.begin);
    end = entry.end;
  }
  require(end <= buffer_size, name, ": truncated: ", end, " bytes of tensors expected, ", buffer_size, " there");
  require(end == buffer_size, name, ": ", buffer_size - end, " bytes after the last tensor");
  return header;
}

namespace detail {
/// @param read  called as read(out, size, offset): reads bytes of the file into @p out
template <class Read>
Header read_header(const Read& read, std::uint64_t file_size, std::string_view name) {
  // A file with a wrong length, or no JSON after it, is often something else.
  const auto check = [&](bool right, const auto&... what) {
    if (right) return;
    std::string begin(static_cast<std::size_t>(std::min<std::uint64_t>(file_size, 512)), '\0');
    read(begin.data(), begin.size(), 0);
    const std::string kind = foreign_kind(begin);
    require(kind.empty(), name, ": no safetensors file but ", kind);
    fail(name, what...);
  };
  check(file_size >= 8, ": truncated: ", file_size, " bytes, no safetensors file");
  std::array<unsigned char, 8> raw{};
  read(raw.data(), raw.size(), 0);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{raw[i]} << (8 * i);
  check(length <= max_header_bytes, ": a header of ", length, " bytes, more than the allowed ", max_header_bytes);
  check(length <= file_size - 8, ": truncated: a header of ", length, " bytes in a file of ", file_size);

  std::string json(static_cast<std::size_t>(length), '\0');
  read(json.data(), json.size(), 8);
  check(!json.empty() && json.front() == '{', ": the header does not begin with '{'");
  Header header = parse_header(json, file_size - 8 - length, name);
  header.data_offset = 8 + length;
  return header;
}
}  // namespace detail

/// Checked header of @p file.
/// @throws rc3::Error naming the file and the violated rule
inline Header read_header(const InputFile& file) {
  const auto read = [&](void* out, std::size_t size, std::uint64_t offset) { file.read(out, size, offset); };
  return detail::read_header(read, file.size(), file.path().string());
}

/// Checked header of a file with the content @p bytes. @param name  the file, for errors
inline Header read_header(std::string_view bytes, std::string_view name) {
  const auto read = [&](void* out, std::size_t size, std::size_t offset) {
    bytes.copy(static_cast<char*>(out), size, offset);
  };
  return detail::read_header(read, bytes.size(), name);
}

/// Checked header of the file @p path. @throws rc3::Error also if it cannot be read.
inline Header read_header(const std::filesystem::path& path) { return read_header(InputFile(path)); }

}  // namespace rc3::io::safetensors
