// Any bytes as what a client sends to `rc3 serve`, over a real connection: the server answers in HTTP or closes it, and
// answers an honest request afterwards. With what it reads behind the HTTP: parameters, paths, images as bodies.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "rc3/serve/assets.hpp"
#include "rc3/serve/server.hpp"
#include "serve/colours.hpp"

namespace {

/// The server of a few photographs of colours, in a folder that goes with the process.
struct Served {
  Served() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rc3-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder = pattern;
    rc3::test::make_photos(folder, 1);
    tool::serve::ServerOptions options;
    options.port = 0;
    options.connections = 4;
    options.patience = std::chrono::seconds(1);
    server =
        std::make_unique<tool::serve::Server>(std::make_shared<rc3::test::Colours>(), folder / "photos.index", options);
  }
  ~Served() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  std::filesystem::path folder;
  std::unique_ptr<tool::serve::Server> server;
};

/// What the server answers to @p bytes.
/// @param ends  the client says that it sends nothing more: the server need not wait, but cpp-httplib then often sends
///         no reply
std::string answer(int port, std::string_view bytes, bool ends) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Closed without a farewell: millions of connections that wait for their end would leave no free port. The fuzzer's
  // own clock interrupts calls.
  const linger none{1, 0};
  int client = -1;
  for (int i = 0; i < 10 && client < 0; ++i) {
    client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    if (::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) break;
    ::close(client);
    client = -1;
  }
  if (client < 0) {
    std::cerr << "no connection: " << std::strerror(errno) << '\n';
    std::abort();
  }
  while (!bytes.empty()) {
    const auto sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;  // the server has closed: it has seen enough
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (ends) ::shutdown(client, SHUT_WR);
  std::string all(1 << 16, '\0');
  std::size_t size = 0;
  while (size < all.size()) {
    const auto n = ::recv(client, all.data() + size, all.size() - size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  all.resize(size);
  ::close(client);
  return all;
}

}  // namespace

// The page's files are no part of this: a program embeds them.
tool::serve::Asset tool::serve::asset(std::string_view name) {
  return name == "page.html" ? Asset{"text/html", "<p>"} : Asset{};
}

const Served& served() {
  static const Served one;
  return one;
}

/// The photographs are written before the clock of the first input runs.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  served();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static int inputs = 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto said = answer(served().server->port(), bytes, true);
  if (!said.empty() && !said.starts_with("HTTP/1.1 ")) {
    std::cerr << "no HTTP: " << said << '\n';
    std::abort();
  }
  if (++inputs % 16 == 0) {
    std::string health;
    for (int i = 0; i < 3 && !health.starts_with("HTTP/1.1 200"); ++i)  // a connection may be lost
      health = answer(served().server->port(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                      false);
    if (!health.starts_with("HTTP/1.1 200")) {
      std::cerr << "not healthy: " << health << '\n';
      std::abort();
    }
  }
  return 0;
}
