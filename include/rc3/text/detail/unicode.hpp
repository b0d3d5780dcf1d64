#pragma once
/// Unicode as Hugging Face tokenizers see it: classes, lower case. LibTorch-free.

#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/text/detail/letter_table.hpp"

namespace rc3::text::detail {

inline void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
    }
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

/// Lower case of each character alone, as in Rust: a sigma at a word's end is no special case.
inline std::u32string lower_each(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c == U'\u0130') {  // the only one that becomes two
      out += U"i\u0307";
      continue;
    }
    const auto* row = metric::unicode::find_range(table::lower, c);
    const bool has = row != nullptr && (c - row->first) % row->step == 0;
    out += has ? static_cast<char32_t>(static_cast<std::int64_t>(c) + row->difference) : c;
  }
  return out;
}

constexpr bool is_letter(char32_t c) { return metric::unicode::find_range(table::letters, c) != nullptr; }
constexpr bool is_number(char32_t c) { return metric::unicode::find_range(table::numbers, c) != nullptr; }
/// `\s` of a regular expression: Unicode's White_Space.
constexpr bool is_white(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace rc3::text::detail
