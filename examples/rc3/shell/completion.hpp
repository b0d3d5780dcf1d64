#pragma once
/// `rc3 completion bash|zsh|fish`: scripts with which shells complete commands, options, choices and file names.

#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"

namespace tool::shell {

/// @p text with @p by before each of @p characters.
inline std::string escaped(std::string_view text, std::string_view characters, std::string_view by) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) out += by;
    out += c;
  }
  return out;
}

/// 'text' for bash and zsh.
inline std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

inline std::string words(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& word : all) out += (out.empty() ? "" : " ") + word;
  return out;
}

/// Names of all options.
inline std::vector<std::string> names_in(const Command& command) {
  std::vector<std::string> out;
  for (const auto& option : command.options) out.insert(out.end(), option.names.begin(), option.names.end());
  return out;
}

inline std::string bash(const std::vector<Command>& all) {
  const std::string& program = all[0].name;
  std::vector<std::string> first = names_in(all[0]);
  std::string cases, values;
  for (std::size_t i = 1; i < all.size(); ++i) {
    first.push_back(all[i].name);
    std::vector<std::string> choices;  // of positional arguments
    for (const auto& option : all[i].options) {
      if (option.names.empty()) choices.insert(choices.end(), option.choices.begin(), option.choices.end());
      if (option.names.empty() || option.value.empty()) continue;
      std::string patterns;
      for (const auto& name : option.names) patterns += (patterns.empty() ? "" : "|") + all[i].name + ':' + name;
      values += "    " + patterns + ") words=" + quote(words(option.choices)) + " ;;\n";
    }
    cases += "    " + all[i].name + ":-*) words=" + quote(words(names_in(all[i]))) + " ;;\n";
    if (!choices.empty()) cases += "    " + all[i].name + ":*) words=" + quote(words(choices)) + " ;;\n";
  }
  // Without words bash completes names of files.
  return "# Completion of " + program + " for bash.\n_" + program +
         "() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} "
         "words=\n"
         "  if [[ $COMP_CWORD == 1 ]]; then\n"
         "    words=" +
         quote(words(first)) + "\n  else\n    case $command:$current in\n" + cases +
         "    esac\n"
         "    case $command:$previous in\n" +
         values +
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _" +
         program + ' ' + program + '\n';
}

/// An argument of zsh's _arguments.
inline std::string zsh_argument(const Option& option, const std::string& name) {
  const auto plain = [](const std::string& text) { return escaped(text, "\\:[]", "\\"); };
  const std::string action = option.choices.empty() ? "_files" : "(" + words(option.choices) + ")";
  if (option.names.empty())
    return quote((option.many ? "*:" : ":") + plain(option.help.empty() ? option.value : option.help) + ':' + action);
  std::string out = (option.many ? "*" : "") + name + '[' + plain(option.help) + ']';
  if (!option.value.empty()) out += ':' + plain(option.value) + ':' + action;
  return quote(out);
}

inline std::string zsh_arguments(const Command& command) {
  std::string out = "_arguments";
  for (const auto& option : command.options) {
    if (option.names.empty()) out += " \\\n        " + zsh_argument(option, "");
    for (const auto& name : option.names) out += " \\\n        " + zsh_argument(option, name);
  }
  return out;
}

inline std::string zsh(const std::vector<Command>& all) {
  const std::string& program = all[0].name;
  std::string list, cases;
  for (std::size_t i = 1; i < all.size(); ++i) {
    list += "    " + quote(all[i].name + ':' + escaped(all[i].help, "\\:", "\\")) + '\n';
    cases += "    " + all[i].name + ")\n      " + zsh_arguments(all[i]) + " ;;\n";
  }
  return "#compdef " + program + "\n# Completion of " + program + " for zsh.\n_" + program +
         "() {\n"
         "  local -a commands=(\n" +
         list +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n    " +
         zsh_arguments(all[0]) +
         "\n    return\n  fi\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $words[1] in\n" +
         cases + "  esac\n}\nif [[ $funcstack[1] == _" + program + " ]]; then\n  _" + program +
         " \"$@\"\nelse\n  compdef _" + program + " " + program + "\nfi\n";
}

inline std::string fish(const std::vector<Command>& all) {
  const std::string& program = all[0].name;
  const auto quoted = [](const std::string& text) { return "'" + escaped(text, "\\'", "\\") + "'"; };
  std::string out = "# Completion of " + program + " for fish.\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string when = i == 0 ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + all[i].name;
    const std::string line = "complete -c " + program + " -n " + quoted(when);
    if (i > 0)
      out += "complete -c " + program + " -n '__fish_use_subcommand' -f -a " + all[i].name + " -d " +
             quoted(all[i].help) + '\n';
    for (const auto& option : all[i].options) {
      if (option.names.empty() && option.choices.empty()) continue;
      out += line;
      for (const auto& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.choices.empty())
        out += (option.names.empty() ? " -f -a " : " -x -a ") + quoted(words(option.choices));
      else if (!option.value.empty())
        out += " -r";
      out += " -d " + quoted(option.help) + '\n';
    }
  }
  return out;
}

}  // namespace tool::shell
