#include "rc3/shell/completion.hpp"
#include "rc3/shell/man_page.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "rc3/io/file.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(shell)

using namespace rc3;
using tool::shell::Command;

namespace {

/// Two commands with every kind of option.
struct Program {
  CLI::App app{"shows options", "prog"};
  std::string shell, format = "auto";
  std::vector<std::string> files;
  int threads = 1;
  bool keys = false;

  Program() {
    app.set_version_flag("--version", "prog 1");
    auto* check = app.add_subcommand("check", "Read it's [whole]: all.");
    check->add_option("FILE", files, "files")->required();
    check->add_option("-f,--format", format, "what FILE is")
        ->check(CLI::IsMember({"auto", "wit"}))
        ->capture_default_str();
    check->add_option("--threads", threads, "threads")->check(CLI::PositiveNumber);
    check->add_flag("--keys", keys, ".list keys");
    app.add_subcommand("completion", "Print a script.")
        ->add_option("SHELL", shell, "shell")
        ->check(CLI::IsMember({"bash", "zsh"}));
  }
  std::vector<Command> commands() const { return tool::shell::commands_of(app); }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What bash offers for the last of @p words.
std::string offered(const std::string& script, const std::string& words) {
  const test::TempDir folder;
  io::write_file(folder / "script", script);
  io::write_file(folder / "run", join("source ", (folder / "script").string(), "\nCOMP_WORDS=(", words,
                                      ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_prog\necho \"${COMPREPLY[*]}\" > ",
                                      (folder / "out").string(), '\n'));
  BOOST_REQUIRE(std::system(join("bash ", (folder / "run").string()).c_str()) == 0);
  const std::string out = io::read_file(folder / "out", 1 << 20);
  return out.substr(0, out.size() - 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(options_are_those_of_the_program) {
  const auto all = Program().commands();
  BOOST_REQUIRE(all.size() == 3u);
  BOOST_TEST(all[0].name == "prog");
  BOOST_TEST(all[0].options.size() == 2u);  // --help, --version
  BOOST_TEST(all[1].name == "check");
  const auto& check = all[1].options;
  BOOST_REQUIRE(check.size() == 5u);
  BOOST_TEST((check[1].names.empty() && check[1].many && check[1].required));
  BOOST_TEST(check[1].value == "FILE");
  BOOST_TEST((check[2].names == std::vector<std::string>{"-f", "--format"}));
  BOOST_TEST((check[2].choices == std::vector<std::string>{"auto", "wit"}));
  BOOST_TEST(check[2].standard == "auto");
  BOOST_TEST(check[3].value == "INT");
  BOOST_TEST((check[3].choices.empty() && !check[3].many));
  BOOST_TEST(check[4].value == "");  // a flag
}

BOOST_AUTO_TEST_CASE(bash_completes) {
  if (std::system("command -v bash > /dev/null") != 0) return;
  const std::string script = tool::shell::bash(Program().commands());
  BOOST_TEST(offered(script, "prog ''") == "-h --help --version check completion");
  BOOST_TEST(offered(script, "prog ch") == "check");
  BOOST_TEST(offered(script, "prog check --f") == "--format");
  BOOST_TEST(offered(script, "prog check -f ''") == "auto wit");
  BOOST_TEST(offered(script, "prog check --format w") == "wit");
  BOOST_TEST(offered(script, "prog check --keys ''") == "");  // bash then completes names of files
  BOOST_TEST(offered(script, "prog check --threads ''") == "");
  BOOST_TEST(offered(script, "prog completion ''") == "bash zsh");
}

BOOST_AUTO_TEST_CASE(zsh_and_fish_know_every_option) {
  const auto all = Program().commands();
  const std::string zsh = tool::shell::zsh(all), fish = tool::shell::fish(all);
  BOOST_TEST(has(zsh, R"('check:Read it'\''s [whole]\: all.')"));
  BOOST_TEST(has(zsh, "'--format[what FILE is]:TEXT:(auto wit)'"));
  BOOST_TEST(has(zsh, "'*:files:_files'"));
  BOOST_TEST(has(zsh, "'--keys[.list keys]'"));
  BOOST_TEST(has(fish, R"(-a check -d 'Read it\'s [whole]: all.')"));
  BOOST_TEST(has(fish, "-n '__fish_seen_subcommand_from check' -s f -l format -x -a 'auto wit' -d 'what FILE is'"));
  BOOST_TEST(has(fish, "-l threads -r -d 'threads'"));
  BOOST_TEST(has(fish, "-f -a 'bash zsh' -d 'shell'"));
  for (const char* shell : {"zsh", "fish"}) {
    if (std::system(join("command -v ", shell, " > /dev/null").c_str()) != 0) continue;
    const test::TempDir folder;
    io::write_file(folder / "script", shell == std::string("zsh") ? zsh : fish);
    BOOST_TEST(std::system(join(shell, " -n ", (folder / "script").string()).c_str()) == 0, shell);
  }
}

BOOST_AUTO_TEST_CASE(the_manual_page_has_every_option) {
  const std::string page = tool::shell::man_page(Program().commands(), "1.2", "0: success.");
  BOOST_TEST(page.starts_with(".TH prog 1 \"\" \"prog 1.2\""));
  BOOST_TEST(has(page, ".SH NAME\nprog \\- shows options\n"));
  BOOST_TEST(has(page, "\\fBprog check\\fR [options] \\fIFILE\\fR ...\n"));
  BOOST_TEST(has(page, "\\fB\\-f\\fR, \\fB\\-\\-format\\fR \\fITEXT\\fR\n"));
  BOOST_TEST(has(page, "what FILE is; one of auto, wit (default: auto)\n"));
  BOOST_TEST(has(page, "files (required)\n"));
  BOOST_TEST(has(page, "\n\\&.list keys\n"));
  BOOST_TEST(has(page, ".SH EXIT STATUS\n0: success.\n"));
}

BOOST_AUTO_TEST_SUITE_END()
