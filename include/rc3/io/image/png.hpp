#pragma once
/// Chunks of a PNG file with their checksums, which stb_image does not check.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::io::png {

inline constexpr std::string_view signature = "\x89PNG\r\n\x1A\n";  ///< first bytes of a file

/// Polynomial 0xEDB88320, reflected: value of each byte.
inline constexpr auto crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320u ^ c >> 1 : c >> 1;
    table[n] = c;
  }
  return table;
}();

/// CRC-32 of ISO 3309, as in PNG, gzip and zip.
inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t c = 0xFFFFFFFFu;
  for (const char byte : bytes) c = crc_table[(c ^ static_cast<unsigned char>(byte)) & 0xFF] ^ c >> 8;
  return ~c;
}

/// 32-bit number at @p at, most significant byte first. @pre at + 4 <= bytes.size()
inline std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Calls @p take(type, data, begin) for each chunk up to and including IEND; begin is the chunk's offset in @p bytes.
/// @param check_sums  whether each chunk's CRC is checked
/// @throws rc3::Error naming @p name: no leading IHDR, a chunk beyond the file's end, no IEND, a wrong CRC.
template <class Take>
void for_each_chunk(std::string_view bytes, std::string_view name, bool check_sums, Take take) {
  constexpr std::size_t frame = 12;  // length, type and CRC
  for (std::size_t at = signature.size();;) {
    require(bytes.size() >= at + frame, name, ": truncated PNG: ends at byte ", bytes.size(), " without an IEND chunk");
    const std::size_t length = big_endian(bytes, at);
    require(length <= bytes.size() - at - frame, name, ": truncated or damaged PNG: the chunk at byte ", at, " is of ",
            length, " bytes, ", bytes.size() - at - frame, " are there");
    const std::string_view type = bytes.substr(at + 4, 4);
    require(at != signature.size() || (type == "IHDR" && length == 13), name,
            ": damaged PNG: does not begin with an IHDR chunk");
    require(!check_sums || crc32(bytes.substr(at + 4, 4 + length)) == big_endian(bytes, at + 8 + length), name,
            ": damaged PNG: wrong check sum (CRC) of the chunk at byte ", at);
    take(type, bytes.substr(at + 8, length), at);
    if (type == "IEND") return;
    at += frame + length;
  }
}

/// EXIF data of a PNG (its eXIf chunk); empty if absent. @throws rc3::Error as for_each_chunk does.
inline std::string_view exif(std::string_view bytes, std::string_view name) {
  std::string_view found;
  for_each_chunk(bytes, name, false, [&](std::string_view type, std::string_view data, std::size_t) {
    if (type == "eXIf" && found.empty()) found = data;
  });
  return found;
}

}  // namespace rc3::io::png
