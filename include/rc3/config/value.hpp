#pragma once
/// An option's value as JSON and as command-line text.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/core/error.hpp"
#include "rc3/io/json.hpp"

namespace rc3::config {

/// Form of a type's values, where the general one does not fit. A specialization has three static functions:
/// `to_json(const T&)`, `from_json(json, wrong)` and `from_text(std::string_view)`. Both return values are those of
/// value_to_json and value_from_json; from_json reports a wrong value by `wrong("<what it must be>")`, which throws.
template <class T>
struct Form;

namespace detail {
template <class T>
concept HasForm = requires(const T& value) {
  Form<T>::to_json(value);
};
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;
}  // namespace detail

/// Enumerations become names, paths strings; see Form for other types.
template <class T>
nlohmann::ordered_json value_to_json(const T& value) {
  if constexpr (detail::HasForm<T>) {
    return Form<T>::to_json(value);
  } else if constexpr (std::is_enum_v<T>) {
    return Names<T>::all[static_cast<std::size_t>(value)];
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.string();
  } else if constexpr (std::is_same_v<T, std::vector<std::filesystem::path>>) {
    auto all = nlohmann::ordered_json::array();
    for (const auto& path : value) all.push_back(path.string());
    return all;
  } else {
    return value;
  }
}

/// @param path, where  the option and the file or command line, for errors
/// @throws rc3::Error that names @p where and @p path, says what the value must be and what it is
template <class T>
T value_from_json(const nlohmann::ordered_json& json, const std::string& path, const std::string& where,
                  const Bounds& bounds) {
  const auto wrong = [&](const std::string& expected) {
    fail(where, ": \"", path, "\" must be ", expected, ", is ", io::short_text(json));
  };
  if constexpr (detail::HasForm<T>) {
    return Form<T>::from_json(json, wrong);
  } else if constexpr (std::is_enum_v<T>) {
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
  } else if constexpr (detail::is_array<T>) {
    const auto all = io::as<std::vector<typename T::value_type>>(json, path, where);
    if (all.size() != std::tuple_size_v<T>) wrong(join("an array of ", std::tuple_size_v<T>));
    T value{};
    std::copy(all.begin(), all.end(), value.begin());
    for (const auto& element : all)
      if (!bounds.hold(static_cast<double>(element))) wrong(join("numbers ", bounds.text()));
    return value;
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
  if constexpr (detail::HasForm<T>) {
    return Form<T>::from_text(text);
  } else if constexpr (std::is_same_v<T, std::vector<double>> || detail::is_array<T>) {
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

}  // namespace rc3::config
