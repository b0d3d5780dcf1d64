#pragma once
/// Width of UTF-8 text in terminal columns. LibTorch-free.

#include <string>
#include <string_view>

#include "rc3/core/utf8.hpp"

namespace rc3::report {

/// Columns of a character: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1.
constexpr int columns(char32_t c) {
  constexpr char32_t zero[][2] = {
      {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
      {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
      {0x06EA, 0x06ED}, {0x0900, 0x0902}, {0x093A, 0x093A}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
      {0x0951, 0x0957}, {0x0962, 0x0963}, {0x0B82, 0x0B82}, {0x0BC0, 0x0BC0}, {0x0BCD, 0x0BCD}, {0x0E31, 0x0E31},
      {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20F0},
      {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
  constexpr char32_t wide[][2] = {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
                                  {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xAC00, 0xD7A3},
                                  {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  for (const auto& range : zero)
    if (c >= range[0] && c <= range[1]) return 0;
  for (const auto& range : wide)
    if (c >= range[0] && c <= range[1]) return 2;
  return c < 0x20 || c == 0x7F ? 0 : 1;
}

/// Columns of a text without escape codes.
inline int columns(std::string_view text) {
  int sum = 0;
  for (const char32_t c : decode_utf8(text)) sum += columns(c);
  return sum;
}

/// @p text, padded with spaces to @p width columns: on its right, or on its left if @p right_aligned.
inline std::string pad(std::string_view text, int width, bool right_aligned = false) {
  const int missing = width - columns(text);
  const std::string spaces(static_cast<std::size_t>(missing > 0 ? missing : 0), ' ');
  return right_aligned ? spaces + std::string(text) : std::string(text) + spaces;
}

}  // namespace rc3::report
