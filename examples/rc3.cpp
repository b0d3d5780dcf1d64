// The command line tool: `rc3 inspect DIR` says what a pretrained directory holds. `rc3 --help` lists the rest.
#include <CLI/CLI.hpp>

#include <iostream>

#include "rc3/inspect.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Tools for multilingual vision-language models."};
  app.require_subcommand(1);

  std::filesystem::path folder;
  std::string sample = "Ein Frosch sitzt auf einem Blatt. 青蛙坐在叶子上。";
  bool all_names = false;
  auto* inspect = app.add_subcommand(
      "inspect", "Say what a pretrained directory holds: architecture, parameters, keys, tokenizer, pictures.");
  inspect->add_option("DIR", folder, "directory with config.json and model.safetensors (or shards)")->required();
  inspect->add_flag("--keys", all_names, "list every key");
  inspect->add_option("--text", sample, "text that the tokenizer is shown on")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  try {
    return tool::inspect(folder, all_names, sample) ? 0 : 2;
  } catch (const rc3::Error& error) {
    std::cerr << "rc3: " << error.what() << '\n';
    return 1;
  }
}
