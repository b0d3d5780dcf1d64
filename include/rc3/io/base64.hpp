#pragma once
/// Base64 by RFC 4648, section 4, strictly: padded, without white space or leftover bits.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::io {

namespace detail {
inline constexpr std::uint8_t no_base64 = 0x80;
inline constexpr std::array<std::uint8_t, 256> base64_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_base64);
  std::uint8_t value = 0;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    values[static_cast<unsigned char>(c)] = value++;
  return values;
}();
}  // namespace detail

/// Decoded size of @p text in bytes, by its length and padding. @throws rc3::Error "<where>: ..." if it is invalid
inline std::size_t base64_size(std::string_view text, std::string_view where) {
  require(text.size() % 4 == 0, where, ": no base64: ", text.size(), " characters, which is no multiple of 4");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

/// Decodes @p text into @p out, which has base64_size() bytes.
/// @throws rc3::Error "<where>: ..." naming the first invalid group of 4 characters, or if the sizes differ
inline void decode_base64(std::string_view text, std::span<std::byte> out, std::string_view where) {
  const std::size_t size = base64_size(text, where);
  require(size == out.size(), where, ": base64 of ", size, " bytes, ", out.size(), " are expected");
  const auto value = [&](std::size_t i) -> std::uint32_t {
    return detail::base64_values[static_cast<unsigned char>(text[i])];
  };
  const auto wrong = [&](std::size_t at) {
    fail(where, ": no base64: characters ", at + 1, " to ", at + 4, " of ", text.size());
  };
  std::size_t in = 0;
  std::size_t done = 0;
  for (; done + 3 <= size; in += 4, done += 3) {
    const std::uint32_t a = value(in), b = value(in + 1), c = value(in + 2), d = value(in + 3);
    if (((a | b | c | d) & detail::no_base64) != 0) [[unlikely]]
      wrong(in);
    const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    out[done] = static_cast<std::byte>(bits >> 16);
    out[done + 1] = static_cast<std::byte>(bits >> 8);
    out[done + 2] = static_cast<std::byte>(bits);
  }
  if (done == size) return;
  // One or two remaining bytes, in two or three characters whose last bits are zero.
  const bool two = size - done == 2;
  const std::uint32_t a = value(in), b = value(in + 1), c = two ? value(in + 2) : 0;
  const std::uint32_t bits = a << 18 | b << 12 | c << 6;
  if (((a | b | c) & detail::no_base64) != 0 || (bits & (two ? 0xFFu : 0xFFFFu)) != 0) wrong(in);
  out[done] = static_cast<std::byte>(bits >> 16);
  if (two) out[done + 1] = static_cast<std::byte>(bits >> 8);
}

/// Decoded @p text. @throws rc3::Error "<where>: ..." as above, or if the result exceeds @p max_bytes
inline std::string decode_base64(std::string_view text, std::size_t max_bytes, std::string_view where) {
  const std::size_t size = base64_size(text, where);
  require(size <= max_bytes, where, ": base64 of ", size, " bytes, more than the allowed ", max_bytes);
  std::string out(size, '\0');
  decode_base64(text, std::as_writable_bytes(std::span(out)), where);
  return out;
}

}  // namespace rc3::io
