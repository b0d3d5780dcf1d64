#pragma once
/// JSON files from untrusted sources: bounded size and depth, unique keys, and errors that name the file and the key.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"

namespace rc3::io {

/// Limits of a JSON text. The parsed form takes up to about twenty times the text's memory.
struct JsonLimits {
  std::uint64_t max_bytes = 16 << 20;  ///< size of the text
  int max_depth = 64;                  ///< depth of nested arrays and objects
};

/// Parsed @p text. @param name  name of the text in errors
/// @throws rc3::Error naming @p name and the reason: too large or deep, not UTF-8, not JSON, a repeated key.
inline nlohmann::json parse_json(std::string_view text, std::string_view name, const JsonLimits& limits = {}) {
  using Event = nlohmann::json::parse_event_t;
  require(text.size() <= limits.max_bytes, name, ": has ", text.size(), " bytes, more than the allowed ",
          limits.max_bytes);
  require_utf8(text, name);
  // nlohmann/json treats a NUL as the end of its input and would ignore the rest.
  require(text.find('\0') == std::string_view::npos, name, ": not JSON: a NUL byte");

  std::vector<std::set<std::string>> keys;  // of the objects around the current position; arrays need none
  const auto check = [&](int depth, Event event, nlohmann::json& value) {
    if (event == Event::object_start || event == Event::array_start) {
      require(depth < limits.max_depth, name, ": nested deeper than ", limits.max_depth);
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      require(keys.back().insert(key).second, name, ": the key \"", key, "\" is given twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), check);
  } catch (const nlohmann::json::exception& error) {
    fail(name, ": not JSON: ", error.what());
  }
}

/// Parsed file @p path. @throws rc3::Error as parse_json does, and if the file cannot be read.
inline nlohmann::json read_json(const std::filesystem::path& path, const JsonLimits& limits = {}) {
  return parse_json(read_file(path, limits.max_bytes), path.string(), limits);
}

/// @p value for an error message: JSON in ASCII, at most 60 characters.
inline std::string short_text(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

/// @p value as a T: bool, an integer or a floating-point number (in range), std::string, or a std::vector of these.
/// @throws rc3::Error "<where>: <key> must be ..., is ..."
template <class T>
T as(const nlohmann::json& value, std::string_view key, std::string_view where) {
  const auto wrong = [&](const char* expected) {
    fail(where, ": \"", key, "\" must be ", expected, ", is ", short_text(value));
  };
  if constexpr (std::is_same_v<T, bool>) {
    if (!value.is_boolean()) wrong("true or false");
    return value.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    if (!value.is_number_integer()) wrong("an integer");
    const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                                 : std::in_range<T>(value.get<std::int64_t>());
    if (!fits) wrong("an integer in range");
    return value.get<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!value.is_number()) wrong("a number");
    const auto number = value.get<double>();
    if (std::abs(number) > std::numeric_limits<T>::max()) wrong("a number in range");  // it would be infinite
    return static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!value.is_string()) wrong("a string");
    return value.get<std::string>();
  } else {
    if (!value.is_array()) wrong("an array");
    T all;
    for (const auto& element : value) all.push_back(as<typename T::value_type>(element, key, where));
    return all;
  }
}

/// Value of @p key in the object @p json.
/// @param where  the file, for errors
/// @throws rc3::Error naming file and key if the key is missing or has another type.
template <class T>
T get(const nlohmann::json& json, std::string_view key, std::string_view where) {
  require(json.is_object(), where, ": an object with the key \"", key, "\" is expected");
  const auto found = json.find(std::string(key));
  require(found != json.end(), where, ": the key \"", key, "\" is missing");
  return as<T>(*found, key, where);
}

/// As get(), but @p otherwise if the key is missing or null. Only for values that decide no shape and no epsilon.
/// @throws rc3::Error naming file and key if the key has another type
template <class T>
T get_or(const nlohmann::json& json, std::string_view key, std::string_view where, T otherwise) {
  require(json.is_object(), where, ": an object is expected");
  const auto found = json.find(std::string(key));
  return found == json.end() || found->is_null() ? otherwise : as<T>(*found, key, where);
}

}  // namespace rc3::io
