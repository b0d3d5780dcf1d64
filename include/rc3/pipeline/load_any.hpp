#pragma once
/// Reading of a model directory whose variant is known at run time only.

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include "rc3/core/type_name.hpp"
#include "rc3/pipeline/load.hpp"

namespace rc3 {

/// The pipeline in @p directory, of that one of @p Models which config.json names.
///
///     std::visit([](auto& pipeline) { ... }, pipeline);
///
/// @throws rc3::Error as load(), and naming all @p Models if the directory holds none of them
template <class... Models>
std::variant<Pipeline<Models>...> load_any(const std::filesystem::path& path) {
  static_assert(sizeof...(Models) > 0, "rc3::load_any: name one model type at least");
  const auto directory = pipeline::open_directory(path);
  std::string known;
  ((known += "\n  " + type_name<Models>()), ...);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    using Any = std::variant<Pipeline<Models>...>;
    Any (*chosen)(const std::filesystem::path&) = nullptr;
    ((directory.variant == type_name<Models>()
          ? void(chosen = [](const std::filesystem::path& p) { return Any(std::in_place_index<I>, load<Models>(p)); })
          : void()),
     ...);
    require(chosen != nullptr, path.string(), ": holds a ", directory.variant, "; this program has:", known);
    return chosen(path);
  }
  (std::index_sequence_for<Models...>{});
}

}  // namespace rc3
