#pragma once
/// Test whether two short texts share a word: simple lower case and word borders.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/utf8.hpp"

namespace emoji {

using rc3::decode_utf8;

namespace detail {

/// Simple lower case of the scripts that have case here: Latin, Greek, Cyrillic. Locale-free on purpose: the answer
/// decides which words a caption may hold, and must be the same on every machine.
constexpr char32_t lower(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 == 1 ? c + 1 : c;
  if (c == 0x130) return U'i';
  if (c == 0x178) return 0xFF;
  if (c >= 0x100 && c <= 0x177) return c % 2 == 0 ? c + 1 : c;
  if ((c >= 0x1DE && c <= 0x233) || (c >= 0x1E00 && c <= 0x1EFF)) return c % 2 == 0 ? c + 1 : c;
  if (c == 0x1A0 || c == 0x1AF) return c + 1;
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (c == 0x3C2) return 0x3C3;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c == 0x490) return 0x491;
  return c;
}

constexpr bool is_han(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

/// Which characters run on within one word: katakana apart from hiragana, both apart from everything else.
constexpr int script(char32_t c) {
  if (c >= 0x3041 && c <= 0x309F) return 1;
  if ((c >= 0x30A1 && c <= 0x30FF && c != 0x30FB) || (c >= 0x31F0 && c <= 0x31FF)) return 2;
  return 0;
}

constexpr bool is_separator(char32_t c) {
  if (c < 0x80) return !((c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'));
  return (c >= 0x80 && c <= 0xBF && c != 0xAA && c != 0xB5 && c != 0xBA) || c == 0xD7 || c == 0xF7 || c == 0x60C ||
         c == 0x61B || c == 0x61F || c == 0x964 || (c >= 0x2000 && c <= 0x206F && c != 0x200C && c != 0x200D) ||
         (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) || c == 0x30FB || (c >= 0xFF00 && c <= 0xFF0F) ||
         (c >= 0xFF1A && c <= 0xFF20) || (c >= 0xFF5B && c <= 0xFF65);
}

}  // namespace detail

/// @p text in lower case, as code points.
inline std::u32string fold(std::string_view text) {
  std::u32string out = decode_utf8(text);
  for (char32_t& c : out) c = detail::lower(c);
  return out;
}

/// The words of a folded text. A Han character is a word by itself, since Chinese and Japanese write no spaces; Thai
/// comes out as one word between spaces.
inline std::vector<std::u32string> words(const std::u32string& folded) {
  std::vector<std::u32string> out;
  bool open = false;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const char32_t c = folded[i];
    if (detail::is_separator(c)) {
      open = false;
    } else if (detail::is_han(c)) {
      out.push_back({c});
      open = false;
    } else {
      if (!open || detail::script(folded[i - 1]) != detail::script(c)) out.emplace_back();
      out.back().push_back(c);
      open = true;
    }
  }
  return out;
}

}  // namespace emoji
