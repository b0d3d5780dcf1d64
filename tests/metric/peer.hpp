#pragma once
/// What tests/metric/sacrebleu_peer.py writes, made once for all tests of this folder.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "rc3/core/error.hpp"
#include "support/support.hpp"

namespace rc3::test {

/// The folder, or an empty path where no Python was given (the test says that it skips).
inline std::filesystem::path peer() {
  const std::string python = environment("RC3_TEST_PYTHON");
  if (python.empty()) {
    std::cout << "skipped: RC3_TEST_PYTHON is not set\n";
    return {};
  }
  static const TempDir folder;
  static const int status = std::system(
      join("'", python, "' '", source("tests/metric/sacrebleu_peer.py").string(), "' '", folder.path().string(), "'")
          .c_str());
  require(status == 0, "tests/metric/sacrebleu_peer.py failed; are the packages of requirements-test.txt in ", python,
          '?');
  return folder.path();
}

}  // namespace rc3::test
