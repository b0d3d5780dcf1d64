#pragma once
/// Provenance: the origin of each option's value. LibTorch-free.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/config/value.hpp"
#include "rc3/core/error.hpp"

namespace rc3::config {

/// The name of each option, in the order of the list, with "default", a file name, or "command line".
using Provenance = std::vector<std::pair<std::string, std::string>>;

/// Provenance of @p config before anything is read.
template <Configuration C>
Provenance default_provenance(const C& config) {
  C copy = config;
  Provenance all;
  for_each_field(copy, [&](const std::string& path, const auto&, const char*, const Bounds&) {
    all.emplace_back(path, "default");
  });
  return all;
}

/// Sets the origin of the options @p names to @p where. @throws rc3::Error for an unknown name
inline void set_provenance(Provenance& sources, const std::vector<std::string>& names, const std::string& where) {
  for (const auto& name : names) {
    const auto found =
        std::find_if(sources.begin(), sources.end(), [&](const auto& option) { return option.first == name; });
    require(found != sources.end(), "config::set_provenance: there is no option \"", name, '"');
    found->second = where;
  }
}

/// JSON object of names and origins.
inline nlohmann::ordered_json provenance_to_json(const Provenance& sources) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, where] : sources) json[name] = where;
  return json;
}

/// One line per option: its name, its value as JSON, its origin.
/// @param sources  in the order of default_provenance()
/// @throws rc3::Error for another number of sources than options
template <Configuration C>
std::string described(const C& config, const Provenance& sources) {
  C copy = config;
  std::vector<std::string> values;
  for_each_field(copy, [&](const std::string&, const auto& value, const char*, const Bounds&) {
    values.push_back(value_to_json(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  });
  require(values.size() == sources.size(), "config::described: ", sources.size(), " sources for ", values.size(),
          " options");
  std::size_t longest_name = 0, longest_value = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    longest_name = std::max(longest_name, sources[i].first.size());
    if (values[i].size() <= 40) longest_value = std::max(longest_value, values[i].size());  // long ones may overflow
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.append(width > text.size() ? width - text.size() : 0, ' ');
    return text + "  ";
  };
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out += padded(sources[i].first, longest_name) + padded(values[i], longest_value) + sources[i].second + '\n';
  return out;
}

/// Such lines for the non-default options only; the others are counted.
template <Configuration C>
std::string described_set(const C& config, const Provenance& sources) {
  const auto all = described(config, sources);
  std::string out;
  std::size_t begin = 0, left = 0;
  for (const auto& [name, where] : sources) {
    const auto end = all.find('\n', begin) + 1;
    if (where == "default")
      ++left;
    else
      out += all.substr(begin, end - begin);
    begin = end;
  }
  return out + join(left, " options have their defaults; --help lists them\n");
}

}  // namespace rc3::config
