#pragma once
/// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3 {

/// Byte offset of the first character of @p text that is not UTF-8, or `std::string_view::npos`.
constexpr std::size_t find_invalid_utf8(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    // The range of the second byte excludes overlong forms, surrogates and numbers above U+10FFFF.
    std::size_t length = 0;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      length = 3;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      length = 4;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return i;
    }
    if (text.size() - i < length || byte(i + 1) < low || byte(i + 1) > high) return i;
    for (std::size_t k = 2; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return i;
    i += length;
  }
  return std::string_view::npos;
}

/// Whether all of @p text is UTF-8.
constexpr bool valid_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

/// @throws rc3::Error unless @p text is UTF-8; the message names @p where and the offset of the first invalid byte.
inline void require_utf8(std::string_view text, std::string_view where) {
  const std::size_t bad = find_invalid_utf8(text);
  require(bad == std::string_view::npos, where, ": not UTF-8 at byte ", bad);
}

/// Code points of @p text. An invalid byte becomes U+FFFD.
inline std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t valid = std::min(find_invalid_utf8(text), text.size());
    for (std::size_t i = 0; i < valid;) {
      const auto lead = static_cast<unsigned char>(text[i++]);
      const int length = lead < 0x80 ? 1 : std::countl_one(lead);
      char32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
      for (int k = 1; k < length; ++k) c = c << 6 | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
      out += c;
    }
    text.remove_prefix(valid);
    if (text.empty()) break;
    out += U'\uFFFD';
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace rc3
