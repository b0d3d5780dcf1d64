#pragma once
/// Configurations as JSON files. LibTorch-free.

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/config/value.hpp"
#include "rc3/io/json.hpp"

namespace rc3::config {

/// All options, in the order of their list; nested structs are objects.
template <Configuration C>
nlohmann::ordered_json to_json(const C& config) {
  C copy = config;
  auto json = nlohmann::ordered_json::object();
  for_each_field(copy, [&](const std::string& path, const auto& value, const char*, const Bounds&) {
    auto* place = &json;
    std::size_t at = 0;
    for (auto dot = path.find('.'); dot != std::string::npos; at = dot + 1, dot = path.find('.', at))
      place = &(*place)[path.substr(at, dot - at)];
    (*place)[path.substr(at)] = value_to_json(value);
  });
  return json;
}

/// Edit distance from @p a to @p b: insertions, deletions and substitutions. Source: Levenshtein 1966.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({changed, corner + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// The name in @p known that is nearest to @p name.
inline std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  return *std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
}

/// Sets the options in @p json; the others stay unchanged.
/// @param where  the file, for errors
/// @return names of the options that were set
/// @throws rc3::Error naming file and option, with the nearest name for an unknown one; @p config is then unchanged
template <Configuration C>
std::vector<std::string> from_json(const nlohmann::ordered_json& json, C& config, const std::string& where) {
  require(json.is_object(), where, ": an object of options is expected");
  C read = config;
  std::vector<std::string> known, set;
  for_each_field(read, [&]<class T>(const std::string& path, T& value, const char*, const Bounds& bounds) {
    known.push_back(path);
    const nlohmann::ordered_json* place = &json;
    std::size_t at = 0;
    for (auto dot = path.find('.'); place != nullptr; at = dot + 1, dot = path.find('.', at)) {
      const std::string key = path.substr(at, dot == std::string::npos ? dot : dot - at);
      require(place->is_object(), where, ": \"", path.substr(0, at == 0 ? 0 : at - 1),
              "\" must be an object of options");
      const auto found = place->find(key);
      place = found == place->end() ? nullptr : &*found;
      if (dot == std::string::npos) break;
    }
    if (place == nullptr) return;
    value = value_from_json<T>(*place, path, where, bounds);
    set.push_back(path);
  });
  const auto refuse_unknown = [&](const auto& self, const nlohmann::ordered_json& part,
                                  const std::string& prefix) -> void {
    for (const auto& [key, value] : part.items()) {
      const std::string path = prefix + key;
      if (std::find(known.begin(), known.end(), path) != known.end()) continue;
      const bool group = value.is_object() && std::any_of(known.begin(), known.end(), [&](const std::string& name) {
                           return name.starts_with(path + '.');
                         });
      require(group, where, ": there is no option \"", path, "\"; did you mean \"", nearest(path, known), "\"?");
      self(self, value, path + '.');
    }
  };
  refuse_unknown(refuse_unknown, json, "");
  config = std::move(read);
  return set;
}

/// As above, from a file. @throws rc3::Error also for invalid JSON or a repeated key
template <Configuration C>
std::vector<std::string> read_config(const std::filesystem::path& path, C& config) {
  const std::string text = io::read_file(path, 1 << 20);
  io::parse_json(text, path.string());                                           // refuses invalid JSON
  return from_json(nlohmann::ordered_json::parse(text), config, path.string());  // keeps the order of rules
}

/// @throws rc3::Error naming the first option out of its bounds
template <Configuration C>
void check(const C& config, const std::string& where = "configuration") {
  C copy = config;
  from_json(to_json(config), copy, where);
}

}  // namespace rc3::config
