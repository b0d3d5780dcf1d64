#pragma once
/// Characters of UTF-8 text, and words of characters.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/utf8.hpp"

namespace rc3::metric::unicode {

/// Characters of @p text. @throws rc3::Error, naming @p where and the byte, if it is not UTF-8
inline std::u32string decode(std::string_view text, std::string_view where) {
  require_utf8(text, where);
  return decode_utf8(text);
}

/// White space by Python's `str.split()`: bidirectional type WS, B or S, or general category Zs.
constexpr bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// @p text without trailing white space.
constexpr std::u32string_view trim_end(std::u32string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// @p text without leading and trailing white space.
constexpr std::u32string_view trim(std::u32string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return trim_end(text);
}

/// Words between white space; none is empty. The views are into @p text.
inline std::vector<std::u32string_view> split(std::u32string_view text) {
  std::vector<std::u32string_view> out;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = std::find_if_not(at, text.end(), is_space);
    at = std::find_if(begin, text.end(), is_space);
    if (begin != at) out.emplace_back(begin, at);
  }
  return out;
}

/// @p text without any white space.
inline std::u32string without_space(std::u32string_view text) {
  std::u32string out(text);
  std::erase_if(out, is_space);
  return out;
}

}  // namespace rc3::metric::unicode
