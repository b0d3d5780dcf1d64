#pragma once
/// Several ranks are several processes: a test program that starts itself once more for each.

#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/child.hpp"

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
    children.push_back(
        start_case("as_rank/" + what,
                   {"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(ranks), "MASTER_ADDR=127.0.0.1",
                    "MASTER_PORT=" + port, "RC3_FOLDER=" + folder.string(), "OMP_NUM_THREADS=1"},
                   "nothing"));
  }
  if (meanwhile) meanwhile(children);
  std::vector<int> exits;
  for (const pid_t child : children) exits.push_back(wait_for(child));
  return exits;
}

}  // namespace rc3::test
