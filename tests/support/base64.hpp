#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rc3::test {

/// @p bytes in base64, the plain way.
inline std::string encode_base64(std::string_view bytes) {
  const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : alphabet[bits >> (18 - 6 * k) & 63];
  }
  return out;
}

}  // namespace rc3::test
