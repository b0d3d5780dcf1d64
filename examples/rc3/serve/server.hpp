#pragma once
/// HTTP server of the search page. Includes neither LibTorch nor an HTTP library.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rc3/serve/api.hpp"
#include "rc3/serve/encoder.hpp"

namespace tool::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";                 ///< address to listen on
  int port = 8080;                                ///< in [0, 65535]; 0: any free one
  std::vector<std::string> names = {};            ///< host names of this machine, beside localhost and addresses
  std::size_t max_body = 32 << 20;                ///< bytes of an image that is sent
  int connections = 48;                           ///< connections at a time, > 0
  int waiting = 192;                              ///< connections that wait for one of these, >= 0; beyond: status 503
  int threads = 1;                                ///< of a search, >= 1
  std::chrono::seconds patience{5};               ///< for the next bytes of a request
  std::chrono::seconds longest_body{30};          ///< for all bytes of an image
  std::chrono::milliseconds refresh{1000};        ///< between two looks at the index
  std::shared_ptr<const Captions> captions = {};  ///< null: none
  ApiOptions api = {};
};

/// Server in threads of its own, from the constructor to the destructor.
class Server {
 public:
  /// @throws rc3::Error if the index cannot be loaded, or nothing can listen on host and port
  Server(std::shared_ptr<const Encoder> encoder, const std::filesystem::path& index, ServerOptions options = {});
  ~Server();

  /// Port that it listens on.
  int port() const;
  /// Address of the page: "http://127.0.0.1:8080/".
  std::string url() const;
  const LivePhotos& photos() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tool::serve
