#pragma once
/// The rows of the parity table. tests/parity/CMakeLists.txt says how the truth is made and the table printed.

#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include "support/support.hpp"

namespace rc3::test {

/// What `tests/parity/make_<part>.py` wrote: the folder, or an empty path (the test has then failed or said that it
/// skips).
inline std::filesystem::path truth(std::string_view part) {
  const std::filesystem::path folder = std::filesystem::path(environment("RC3_PARITY")) / part;
  if (std::filesystem::exists(folder)) return folder;
  const std::string missing = join(folder, " is missing; the test parity.make.", part, " writes it");
  if (environment("RC3_REQUIRE_CACHE") == "1")
    BOOST_ERROR(missing);
  else
    std::cout << "skipped: " << missing << '\n';
  return {};
}

/// Code of the reliability test that a row belongs to.
inline const char* code_of(std::string_view group, std::string_view what) {
  if (group == "encoders") return "T9";
  if (group == "tokenizers") return "T10";
  if (group == "files") return "T1";
  return what.starts_with("resize") ? "T7" : "T8";
}

/// One row of the table: prints it, fails unless figure <= limit (`at_least`: >=), and keeps it for docs/parity.md.
/// @param group   "encoders", "tokenizers", "images" or "files"
/// @param what    what is compared, for example "ViT, 3 layers, 4 heads, 48 x 32"
/// @param with    what it is compared with, for example "transformers ViTModel"
/// @param score   its name, for example "max abs difference"
inline void parity(std::string_view group, std::string_view what, std::string_view with, std::string_view score,
                   double value, double limit, bool at_least = false) {
  const bool holds = at_least ? value >= limit : value <= limit;
  report(join(code_of(group, what), ' ', group, ": ", what, " against ", with, ": ", score), value,
         at_least ? ">=" : "<=", limit, holds);
  const std::filesystem::path table = environment("RC3_PARITY");
  if (table.empty()) return;
  std::filesystem::create_directories(table / "rows");
  std::ofstream(table / "rows" / join(group, ".jsonl"), std::ios::app)
      << nlohmann::json{{"group", group}, {"what", what},   {"with", with},         {"figure", score},
                        {"value", value}, {"limit", limit}, {"at_least", at_least}, {"holds", holds}}
             .dump()
      << '\n';
}

}  // namespace rc3::test
