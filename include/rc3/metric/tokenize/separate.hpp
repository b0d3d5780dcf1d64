#pragma once
/// White space around characters: the steps of tokenizers.

#include <cstddef>
#include <string>
#include <string_view>

namespace rc3::metric::tokenize {

/// Spaces on both sides of each character for which @p is holds.
template <class Is>
std::u32string separate(std::u32string_view line, Is is) {
  std::u32string out;
  out.reserve(2 * line.size());
  for (const char32_t c : line) {
    if (is(c)) {
      ((out += U' ') += c) += U' ';
    } else {
      out += c;
    }
  }
  return out;
}

/// Place of spaces beside a pair: "a,b" with the pair "a," becomes "a , b" with `between_and_after`.
enum class Blanks { between_and_after, before_and_between };

/// Spaces at each pair of neighbours for which @p first and @p second hold. The search runs from the left without
/// overlaps: a character that ends one pair does not start the next.
template <Blanks blanks, class First, class Second>
std::u32string separate_pairs(std::u32string_view line, First first, Second second) {
  std::u32string out;
  out.reserve(2 * line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i + 1 == line.size() || !first(line[i]) || !second(line[i + 1])) {
      out += line[i];
      continue;
    }
    if constexpr (blanks == Blanks::before_and_between) out += U' ';
    (out += line[i]) += U' ';
    out += line[++i];
    if constexpr (blanks == Blanks::between_and_after) out += U' ';
  }
  return out;
}

/// Replaces every @p what in @p line by @p with, from the left.
inline std::u32string replace_all(std::u32string line, std::u32string_view what, std::u32string_view with) {
  for (std::size_t at = 0; (at = line.find(what, at)) != std::u32string::npos; at += with.size())
    line.replace(at, what.size(), with);
  return line;
}

/// The language-dependent part of NIST's mteval-v13a.pl, for languages in Latin script: ASCII punctuation except ' , .
/// - is separated; . and , are except between digits; - is after a digit.
inline std::u32string separate_western(std::u32string_view line) {
  const auto digit = [](char32_t c) { return c >= U'0' && c <= U'9'; };
  const auto other = [digit](char32_t c) { return !digit(c); };
  const auto point = [](char32_t c) { return c == U'.' || c == U','; };
  const auto dash = [](char32_t c) { return c == U'-'; };
  const auto alone = [](char32_t c) {
    return std::u32string_view(U" !\"#$%&()*+/:;<=>?@[\\]^_`{|}~").find(c) != std::u32string_view::npos;
  };
  std::u32string out = separate(line, alone);
  out = separate_pairs<Blanks::between_and_after>(out, other, point);
  out = separate_pairs<Blanks::before_and_between>(out, point, other);
  return separate_pairs<Blanks::between_and_after>(out, digit, dash);
}

}  // namespace rc3::metric::tokenize
