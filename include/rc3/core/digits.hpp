#pragma once
/// Numbers as digits: the shortest decimal ones of a float, the hexadecimal ones of an integer.

#include <array>
#include <charconv>
#include <climits>
#include <concepts>
#include <string>

namespace rc3 {

/// Shortest decimal number that is read as @p value again: 640.0001, where a stream writes 640.
inline std::string shortest_decimal(float value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// All digits of @p value, lower case: 8 of 32 bits, 16 of 64.
template <std::unsigned_integral Integer>
std::string hexadecimal(Integer value) {
  std::string text(sizeof value * CHAR_BIT / 4, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value /= 16) *digit = "0123456789abcdef"[value % 16];
  return text;
}

}  // namespace rc3
