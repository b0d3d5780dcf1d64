#pragma once
/// The commands and options of a program, as CLI11 knows them: the source of shell completion and of the man page.

#include <CLI/CLI.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace tool::shell {

struct Option {
  std::vector<std::string> names;    ///< "-h", "--help"; empty: positional
  std::string value;                 ///< what stands for its value; empty: a flag
  std::vector<std::string> choices;  ///< the values that are allowed; empty: any
  std::string standard;              ///< default value; empty: none
  std::string help;
  bool required = false, many = false;
};

/// A program or one of its commands.
struct Command {
  std::string name, help;
  std::vector<Option> options;
};

/// "TEXT:{a,b}" names the choices a and b.
inline std::vector<std::string> choices_of(const std::string& type) {
  const auto open = type.find('{'), close = type.rfind('}');
  std::vector<std::string> out;
  if (open == std::string::npos || close == std::string::npos || close < open) return out;
  std::istringstream list(type.substr(open + 1, close - open - 1));
  for (std::string one; std::getline(list, one, ',');) out.push_back(one);
  return out;
}

inline Option option_of(const CLI::Option& option) {
  Option out;
  for (const auto& name : option.get_snames()) out.names.push_back('-' + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  const std::string type = option.get_type_name();
  if (option.get_positional())
    out.value = option.get_name(true);
  else if (option.get_items_expected_max() > 0)
    out.value = type.substr(0, type.find(':'));
  out.choices = choices_of(type);
  out.standard = option.get_default_str();
  out.help = option.get_description();
  out.required = option.get_required();
  out.many = option.get_items_expected_max() > 1;
  return out;
}

/// The program itself, then its commands.
inline std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> out;
  const auto add = [&](const CLI::App& command) {
    out.push_back({command.get_name(), command.get_description(), {}});
    for (const auto* option : command.get_options()) out.back().options.push_back(option_of(*option));
  };
  add(app);
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) add(*command);
  return out;
}

}  // namespace tool::shell
