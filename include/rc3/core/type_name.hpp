#pragma once
/// Name of a type, as a user writes it. A variant is a type, so this name identifies the variant of a program.

#include <string>
#include <string_view>

namespace rc3 {

namespace detail {
template <class T>
constexpr std::string_view raw_type_name() {
  const std::string_view all = __PRETTY_FUNCTION__;  // "... [with T = X; std::string_view = ...]" or "... [T = X]"
  const auto begin = all.find("T = ") + 4;
  auto end = all.find(';', begin);
  if (end == std::string_view::npos) end = all.rfind(']');
  return all.substr(begin, end - begin);
}
}  // namespace detail

/// For example "visual::Patch<visual::backbone::EfficientNetLite0>", without the leading "rc3::" of every name.
template <class T>
std::string type_name() {
  std::string name(detail::raw_type_name<T>());
  for (std::size_t at; (at = name.find("rc3::")) != std::string::npos;) name.erase(at, 5);
  for (std::size_t at; (at = name.find("> >")) != std::string::npos;) name.erase(at + 1, 1);  // gcc writes "> >"
  return name;
}

}  // namespace rc3
