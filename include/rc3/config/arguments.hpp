#pragma once
/// Options on the command line, which override those of a file, which override the defaults.
///
/// Needs CLI11 (Debian: libcli11-dev).

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "rc3/config/json.hpp"
#include "rc3/config/provenance.hpp"

namespace rc3::config {

/// Adds `--config FILE`, and an option for each field of @p config: `--optimizer.learning_rate 1e-4`. After parsing,
/// the file is read first; command-line options then override it, in any position. @p config then holds the result.
/// @param config   outlives the parsing
/// @param sources  receives the origin of each value, outlives the parsing; null: not recorded
/// @throws rc3::Error from the parsing: CLI11 does not catch it
template <Configuration C>
void add_options(CLI::App& app, C& config, Provenance* sources = nullptr) {
  const auto said = std::make_shared<nlohmann::ordered_json>(nlohmann::ordered_json::object());
  const auto file = std::make_shared<std::filesystem::path>();
  app.add_option("--config", *file, "JSON file with options; the command line goes before it");
  for_each_field(config, [&]<class T>(const std::string& path, T& value, const char* doc, const Bounds& bounds) {
    const auto take = [said, path](const std::string& text) {
      auto* place = said.get();
      std::size_t at = 0;
      for (auto dot = path.find('.'); dot != std::string::npos; at = dot + 1, dot = path.find('.', at))
        place = &(*place)[path.substr(at, dot - at)];
      const bool bare = std::is_same_v<T, bool> && text.empty();  // --log.report alone means true
      (*place)[path.substr(at)] = bare ? nlohmann::ordered_json(true) : json_from_text<T>(text);
    };
    const auto dot = path.rfind('.');
    const auto shown = value_to_json(value);
    std::string text = doc;
    if (!bounds.text().empty()) text += ", " + bounds.text();
    if constexpr (std::is_enum_v<T>) {
      text += ":";
      for (const char* name : Names<T>::all) text += std::string(" ") + name;
    }
    auto* option = app.add_option_function<std::string>("--" + path, take, text);
    option->default_str(shown.is_string() ? shown.template get<std::string>() : shown.dump());
    option->group(dot == std::string::npos ? "Options" : path.substr(0, dot));
    if constexpr (std::is_same_v<T, bool>) option->expected(0, 1);
  });
  app.parse_complete_callback([said, file, &config, sources] {
    Provenance from = default_provenance(config);
    if (!file->empty()) set_provenance(from, read_config(*file, config), file->string());
    set_provenance(from, from_json(*said, config, "command line"), "command line");
    if (sources != nullptr) *sources = std::move(from);
  });
}

}  // namespace rc3::config
