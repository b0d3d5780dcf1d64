#pragma once
/// How a language joins a list: "A, B and C". Source: Unicode Technical Standard 35, part 2, "List Patterns".

#include <span>
#include <string>
#include <string_view>

#include "emoji/names.hpp"
#include "rc3/core/error.hpp"

namespace emoji {

/// The four patterns of CLDR, each with the places `{0}` and `{1}`.
struct ListPattern {
  std::string two = "{0}, {1}";     ///< a list of exactly two
  std::string start = "{0}, {1}";   ///< the first item and the rest
  std::string middle = "{0}, {1}";  ///< an item in between and the rest
  std::string end = "{0}, {1}";     ///< the last two items of a list of three or more
};

/// Puts @p first and @p second into the places of @p pattern; what they contain is never read as a place.
/// @throws rc3::Error when the pattern lacks a place
inline std::string fill_pattern(std::string_view pattern, std::string_view first, std::string_view second) {
  const std::size_t p0 = pattern.find("{0}");
  const std::size_t p1 = pattern.find("{1}");
  require(p0 != std::string_view::npos && p1 != std::string_view::npos, "list pattern '", pattern,
          "' must hold {0} and {1}");
  const bool forward = p0 < p1;
  std::string out{pattern.substr(0, forward ? p0 : p1)};
  out += forward ? first : second;
  const std::size_t after = (forward ? p0 : p1) + 3;
  out += pattern.substr(after, (forward ? p1 : p0) - after);
  out += forward ? second : first;
  out += pattern.substr((forward ? p1 : p0) + 3);
  return out;
}

/// @p items joined as the language does; "" for none, the item itself for one.
inline std::string join_list(const ListPattern& pattern, std::span<const std::string> items) {
  const std::size_t n = items.size();
  if (n == 0) return {};
  if (n == 1) return items[0];
  if (n == 2) return fill_pattern(pattern.two, items[0], items[1]);
  std::string out = fill_pattern(pattern.end, items[n - 2], items[n - 1]);
  for (std::size_t i = n - 2; i-- > 1;) out = fill_pattern(pattern.middle, items[i], out);
  return fill_pattern(pattern.start, items[0], out);
}

}  // namespace emoji
