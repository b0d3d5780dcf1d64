#pragma once
/// `rc3 man`: the manual page, in roff.

#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"

namespace tool::shell {

/// @p text of a line of roff.
inline std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  if (out.starts_with('.') || out.starts_with('\'')) out = "\\&" + out;
  return out;
}

inline std::string man_option(const Option& option) {
  std::string names;
  for (const auto& name : option.names) names += (names.empty() ? "" : ", ") + ("\\fB" + roff(name) + "\\fR");
  if (!option.value.empty())
    names += (names.empty() ? "" : " ") + ("\\fI" + roff(option.value) + "\\fR") + (option.many ? " ..." : "");
  std::string help = option.help, choices;
  for (const auto& choice : option.choices) choices += (choices.empty() ? "" : ", ") + choice;
  if (!choices.empty()) help += (help.empty() ? "one of " : "; one of ") + choices;
  if (!option.standard.empty()) help += " (default: " + option.standard + ")";
  if (option.required) help += " (required)";
  return ".TP\n" + names + '\n' + roff(help) + '\n';
}

/// @param all      of commands_of()
/// @param version  of the program
/// @param ends     what the exit codes mean, a sentence
inline std::string man_page(const std::vector<Command>& all, const std::string& version, const std::string& ends) {
  const Command& program = all.at(0);
  std::string text = ".TH " + program.name + " 1 \"\" \"" + roff(program.name + ' ' + version) +
                     "\" \"User Commands\"\n" + ".SH NAME\n" + program.name + " \\- " + roff(program.help) +
                     "\n.SH SYNOPSIS\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    text += (i > 1 ? ".br\n\\fB" : "\\fB") + program.name + ' ' + all[i].name + "\\fR [options]";
    for (const auto& option : all[i].options)
      if (option.names.empty())
        text += std::string(option.required ? " \\fI" : " [\\fI") + roff(option.value) + "\\fR" +
                (option.many ? " ..." : "") + (option.required ? "" : "]");
    text += '\n';
  }
  text += ".SH OPTIONS\n";
  for (const auto& option : program.options) text += man_option(option);
  text += ".SH COMMANDS\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    text += ".SS " + program.name + ' ' + all[i].name + '\n' + roff(all[i].help) + '\n';
    for (const auto& option : all[i].options)
      if (option.names.empty() || option.names.back() != "--help") text += man_option(option);
  }
  return text + ".SH EXIT STATUS\n" + roff(ends) + '\n';
}

}  // namespace tool::shell
