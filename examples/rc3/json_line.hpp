#pragma once
/// Parts of a line of JSON. Floats have the shortest digits that give the same float again, which a JSON library that
/// stores doubles does not print.

#include <rc3/core/digits.hpp>

#include <cstddef>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

namespace tool {

/// A JSON string. A path that is not UTF-8 is printed with replacement characters.
inline std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Appends @p value to @p line.
inline void print(std::string& line, float value) { line += rc3::shortest_decimal(value); }

/// Appends an array to @p line.
inline void print(std::string& line, std::span<const float> vector) {
  line += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) line += ',';
    print(line, vector[i]);
  }
  line += ']';
}

}  // namespace tool
