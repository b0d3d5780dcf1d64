#pragma once
/// Member .json of a shard: a record of this library, or anything else that its author stored. LibTorch-free.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/format/record.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data {

/// Whether @p json is a record (record.hpp): an object with an object of texts, or with a record's keys only. Programs
/// such as img2dataset store other objects, with the caption, its source and the image's size.
inline bool is_record(const nlohmann::json& json) {
  if (!json.is_object()) return false;
  if (const auto texts = json.find("texts"); texts != json.end() && texts->is_object()) return true;
  for (const auto& item : json.items())
    if (!detail::is_record_key(item.key())) return false;
  return true;
}

namespace detail {

/// @p text with null for the words NaN, Infinity and -Infinity outside strings, which Python's json.dump writes.
inline std::string without_nan(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    if (inside && text[i] == '\\') {
      out += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') inside = !inside;
    std::size_t word = 0;
    if (!inside)
      for (const std::string_view name : {"NaN", "Infinity", "-Infinity"})
        if (text.substr(i).starts_with(name)) word = name.size();
    if (word > 0)
      out += "null";
    else
      out += text[i];
    i += word > 0 ? word : 1;
  }
  return out;
}

}  // namespace detail

/// Parsed member .json. NaN and infinite numbers, which JSON does not have, become null unless it is a record.
/// @throws rc3::Error as io::parse_json
inline nlohmann::json parse_shard_json(std::string_view text, std::string_view where) {
  try {
    return io::parse_json(text, where);
  } catch (const Error&) {
    const std::string repaired = detail::without_nan(text);
    if (repaired == text) throw;
    auto json = io::parse_json(repaired, where);
    if (is_record(json)) throw;
    return json;
  }
}

/// Captions at @p key of a foreign object, which has a string there or an array of strings.
/// @throws rc3::Error "<where>: ..." that lists the object's keys if there are none
inline std::vector<std::string> captions_at(const nlohmann::json& json, const std::string& key,
                                            std::string_view where) {
  require(json.is_object(), where, ": an object with the caption at \"", key, "\" is expected");
  const auto found = json.find(key);
  if (found == json.end()) {
    std::string keys;
    for (const auto& item : json.items()) keys += join(keys.empty() ? "" : ", ", item.key());
    fail(where, ": has no caption at \"", key, "\"; its keys are ", keys.substr(0, 500));
  }
  if (found->is_string()) return {found->get<std::string>()};
  const bool strings = found->is_array() && !found->empty() && found->size() <= max_texts;
  require(strings, where, ": \"", key, "\" must be a string or an array of strings, is ", io::short_text(*found));
  return io::as<std::vector<std::string>>(*found, key, where);
}

}  // namespace rc3::data
