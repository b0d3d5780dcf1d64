#pragma once
/// A test program that starts itself anew, to run one of its cases as a process of its own.

#include <boost/test/unit_test.hpp>

#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

extern char** environ;

namespace rc3::test {

/// Starts this program to run the case @p what alone.
/// @param variables  NAME=value, before those of this process
/// @param log_level  Boost.Test's
inline pid_t start_case(const std::string& what, std::vector<std::string> variables, const std::string& log_level) {
  std::vector<char*> all;
  for (auto& v : variables) all.push_back(v.data());
  for (char** e = environ; *e != nullptr; ++e) all.push_back(*e);
  all.push_back(nullptr);
  std::string program = "/proc/self/exe", filter = "--run_test=" + what, level = "--log_level=" + log_level,
              report = "--report_level=no";
  char* arguments[] = {program.data(), filter.data(), level.data(), report.data(), nullptr};
  pid_t child = 0;
  BOOST_TEST_REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, all.data()) == 0);
  return child;
}

/// Exit status, or minus the signal.
inline int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace rc3::test
