#pragma once
/// Unicode as Hugging Face tokenizers see it: characters, classes, lower case. LibTorch-free.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/text/detail/alignment.hpp"
#include "rc3/text/detail/letter_table.hpp"

namespace rc3::text::detail {

/// @throws rc3::Error, naming @p tokenizer, unless @p text is UTF-8, not blank and of at most @p most bytes
inline void require_text(std::string_view tokenizer, std::string_view text, std::size_t most) {
  require(text.size() <= most, tokenizer, ": a text of ", text.size(), " bytes; at most ", most,
          " are read, cut it first");
  const auto bad = find_invalid_utf8(text);
  require(bad == std::string_view::npos, tokenizer, ": the text: not UTF-8 at byte ", bad);
  require(!only_blanks(text), tokenizer, ": an empty text; drop the sample, or give it a caption");
}

/// @pre @p text is UTF-8
inline std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int length = lead < 0x80 ? 1 : std::countl_one(lead);
    char32_t c = lead < 0x80 ? lead : lead & (0x7Fu >> length);
    for (int k = 1; k < length; ++k) c = c << 6 | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
    out += c;
  }
  return out;
}

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
