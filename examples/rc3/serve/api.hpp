#pragma once
/// Requests and replies of the server, without HTTP: docs/guides/serve.md describes them.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rc3/serve/captions.hpp"
#include "rc3/serve/encoder.hpp"
#include "rc3/serve/gate.hpp"
#include "rc3/serve/photos.hpp"
#include "rc3/serve/thumbnails.hpp"

namespace tool::serve {

struct ApiOptions {
  std::size_t max_query = 2048;            ///< bytes of a text
  std::int64_t max_top = 200;              ///< results of a search
  std::int64_t max_rerank = 50;            ///< results that image-text matching orders again
  std::int64_t max_captions = 50;          ///< captions of an image
  int thumbnail_side = 448;                ///< longest side of a thumbnail, pixels
  std::size_t thumbnail_cache = 64 << 20;  ///< bytes
  GateOptions searches = {};
  GateOptions thumbnails = {.running = 2, .waiting = 400, .patience = std::chrono::seconds(20)};
};

struct Request {
  std::string method;  ///< GET or POST
  std::string path;    ///< decoded, without the query
  std::multimap<std::string, std::string> parameters;
  std::string body;
  std::string if_none_match;  ///< the header's value
};

struct Reply {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::string cache = "no-store";  ///< Cache-Control
  std::string tag;                 ///< ETag, without quotation marks
  int retry_after = 0;             ///< seconds; 0: no such header
};

/// Reply with `{"error": message}`.
Reply error_reply(int status, const std::string& message);

/// Reply of a server that has too much to do.
Reply busy_reply();

/// Handler of all requests. Several threads call it at once.
class Api {
 public:
  /// @param captions  null: none are offered
  Api(std::shared_ptr<const Encoder> encoder, std::shared_ptr<const LivePhotos> photos,
      std::shared_ptr<const Captions> captions = nullptr, ApiOptions options = {});

  /// Never throws for a request: every error is a reply.
  Reply operator()(const Request& request);

 private:
  Reply search(const Request& request);
  Reply embed(const Request& request);
  Reply words(const Request& request);
  Reply image_file(const Request& request, bool reduced);
  Reply health() const;
  Reply page(const Request& request) const;
  std::vector<float> vector_of(const Request& request) const;
  std::string query_of(const Request& request) const;

  std::shared_ptr<const Encoder> encoder_;
  std::shared_ptr<const LivePhotos> photos_;
  std::shared_ptr<const Captions> captions_;
  ApiOptions options_;
  Gate searches_, thumbnails_;
  ThumbnailCache cache_;
};

}  // namespace tool::serve
