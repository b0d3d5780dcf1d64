#pragma once
/// An option's value as JSON and as command-line text.

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"
#include "rc3/train/config/fields.hpp"

namespace rc3::train {

template <class T>
nlohmann::ordered_json value_to_json(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return Names<T>::all[static_cast<std::size_t>(value)];
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.string();
  } else if constexpr (std::is_same_v<T, std::vector<std::filesystem::path>>) {
    auto all = nlohmann::ordered_json::array();
    for (const auto& path : value) all.push_back(path.string());
    return all;
  } else if constexpr (std::is_same_v<T, std::vector<RateRule>>) {
    auto all = nlohmann::ordered_json::object();
    for (const RateRule& rule : value) all[rule.part] = rule.rate;
    return all;
  } else {
    return value;
  }
}

/// @param path, where  the option and the file or command line, for errors
/// @throws rc3::Error "<where>: "<path>" must be ..., is ..."
template <class T>
T value_from_json(const nlohmann::ordered_json& json, const std::string& path, const std::string& where,
                  const Bounds& bounds) {
  const auto wrong = [&](const std::string& expected) {
    fail(where, ": \"", path, "\" must be ", expected, ", is ", io::short_text(json));
  };
  if constexpr (std::is_enum_v<T>) {
    const auto names = Names<T>::all;
    if (json.is_string())
      for (std::size_t i = 0; i < std::size(Names<T>::all); ++i)
        if (json == names[i]) return static_cast<T>(i);
    std::string expected = "one of";
    for (const char* name : Names<T>::all) expected += std::string(" \"") + name + '"';
    wrong(expected);
    return {};
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return io::as<std::string>(json, path, where);
  } else if constexpr (std::is_same_v<T, std::vector<std::filesystem::path>>) {
    const auto all = io::as<std::vector<std::string>>(json, path, where);
    return T(all.begin(), all.end());
  } else if constexpr (std::is_same_v<T, std::vector<RateRule>>) {
    if (!json.is_object()) wrong("an object of rates, {\"text.\": 0.1}");
    T rules;
    for (const auto& [part, rate] : json.items()) {
      if (!rate.is_number() || rate.template get<double>() < 0) wrong("an object of rates, each at least 0");
      rules.push_back({part, rate.template get<double>()});
    }
    return rules;
  } else {
    const T value = io::as<T>(json, path, where);
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
      if (!bounds.hold(static_cast<double>(value))) wrong(bounds.text());
    return value;
  }
}

/// JSON value of the command-line @p text for an option of type T.
template <class T>
nlohmann::ordered_json json_from_text(std::string_view text) {
  if constexpr (std::is_same_v<T, std::vector<RateRule>>) {
    auto rules = nlohmann::ordered_json::object();
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      const auto rule = text.substr(at, end - at);
      const auto equals = rule.rfind('=');
      if (equals == std::string_view::npos) return std::string(text);  // refused later for its type
      rules[std::string(rule.substr(0, equals))] = json_from_text<double>(rule.substr(equals + 1));
      at = end + 1;
    }
    return rules;
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    auto json = nlohmann::ordered_json::parse(join('[', text, ']'), nullptr, /*allow_exceptions=*/false);
    return json.is_discarded() ? nlohmann::ordered_json(std::string(text)) : json;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>> ||
                       std::is_same_v<T, std::vector<std::filesystem::path>>) {
    auto all = nlohmann::ordered_json::array();
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      all.push_back(std::string(text.substr(at, end - at)));
      at = end + 1;
    }
    return all;
  } else if constexpr (std::is_arithmetic_v<T>) {
    auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    return json.is_discarded() ? nlohmann::ordered_json(std::string(text)) : json;
  } else {
    return std::string(text);
  }
}

}  // namespace rc3::train
