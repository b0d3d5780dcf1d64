#pragma once
/// Blank texts: the one rule for data readers, tokenizers and tools.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/utf8.hpp"

namespace rc3 {

/// Whether @p c shows nothing: Unicode's White_Space, Default_Ignorable_Code_Point and control characters.
///
/// Six are added. U+2581, the space of SentencePiece, and U+FFFD, the mark of a lost character, are spaces to XLM-R.
/// U+2800 (an empty Braille cell) and U+FFF9..U+FFFB (annotation marks) show nothing either.
constexpr bool is_invisible(char32_t c) {
  using Range = std::pair<char32_t, char32_t>;
  constexpr std::array ranges{
      Range{0x00, 0x20},     Range{0x7F, 0xA0},       Range{0xAD, 0xAD},       Range{0x034F, 0x034F},
      Range{0x061C, 0x061C}, Range{0x115F, 0x1160},   Range{0x1680, 0x1680},   Range{0x17B4, 0x17B5},
      Range{0x180B, 0x180F}, Range{0x2000, 0x200F},   Range{0x2028, 0x202F},   Range{0x205F, 0x206F},
      Range{0x2581, 0x2581}, Range{0x2800, 0x2800},   Range{0x3000, 0x3000},   Range{0x3164, 0x3164},
      Range{0xFE00, 0xFE0F}, Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},
      Range{0xFFFD, 0xFFFD}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}};
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return r.first <= c && c <= r.second; });
}

/// Whether @p text is empty or has invisible characters only. Bytes that are not UTF-8 count as visible.
inline bool is_blank(std::string_view text) {
  if (!valid_utf8(text)) return false;
  const std::u32string all = decode_utf8(text);
  return std::all_of(all.begin(), all.end(), is_invisible);
}

}  // namespace rc3
