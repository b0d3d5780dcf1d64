#pragma once
/// Several ranks are several processes: a test program that starts itself once more for each.

#include <boost/test/unit_test.hpp>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

extern char** environ;

namespace rc3::test {

/// A port that nobody listens on right now.
inline int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Starts this program once for each rank, to run the case as_rank/<what>. @return the exit status of each rank
inline std::vector<int> start(const std::string& what, int ranks, const std::filesystem::path& folder,
                              const std::function<void(const std::vector<pid_t>&)>& meanwhile = {}) {
  const std::string port = std::to_string(free_port());
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<std::string> variables{"RANK=" + std::to_string(rank),  "WORLD_SIZE=" + std::to_string(ranks),
                                       "MASTER_ADDR=127.0.0.1",         "MASTER_PORT=" + port,
                                       "RC3_FOLDER=" + folder.string(), "OMP_NUM_THREADS=1"};
    std::vector<char*> environment;
    for (auto& v : variables) environment.push_back(v.data());
    for (char** e = environ; *e != nullptr; ++e) environment.push_back(*e);
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe", filter = "--run_test=as_rank/" + what, level = "--log_level=nothing",
                report = "--report_level=no";
    char* arguments[] = {program.data(), filter.data(), level.data(), report.data(), nullptr};
    pid_t child = 0;
    BOOST_REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment.data()) == 0);
    children.push_back(child);
  }
  if (meanwhile) meanwhile(children);
  std::vector<int> exits;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    exits.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  }
  return exits;
}

}  // namespace rc3::test
