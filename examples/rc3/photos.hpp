#pragma once
/// `rc3 embed`, `rc3 index`, `rc3 search` and `rc3 serve`: search among photographs. Results are JSON, an object a
/// line, on standard output; progress and summaries are on standard error.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tool {

struct ModelOptions {
  std::filesystem::path directory;    ///< model directory; empty: the one that the index names
  std::string precision = "float32";  ///< float32, bfloat16, automatic or int8
  int threads = 0;                    ///< > 0, or 0: LibTorch's default
};

/// Prints a vector for each image in @p inputs (files, folders), or for each line of standard input if it is empty.
/// @return 0; 2 if some could not be embedded
int embed(const ModelOptions& model, const std::vector<std::filesystem::path>& inputs);

struct IndexOptions {
  std::vector<std::filesystem::path> folders;
  std::filesystem::path out;
  std::string storage = "float32";  ///< float32, bfloat16 or int8
  bool hidden = false;              ///< also hidden files
};

/// Makes or updates an index of photographs, and prints what is skipped. @return 0; 130 after an interruption, which
/// keeps what is done
int index(const ModelOptions& model, const IndexOptions& options);

struct SearchOptions {
  std::filesystem::path index;
  std::string text;
  std::filesystem::path image;  ///< searched in place of a text
  std::int64_t top = 10;        ///< > 0
  std::int64_t rerank = 0;      ///< hits that ITM orders again, >= 0
};

/// Prints the closest images, best first.
int search(const ModelOptions& model, const SearchOptions& options);

struct ServeOptions {
  std::filesystem::path index;
  std::string host = "127.0.0.1";  ///< address to listen on
  int port = 8080;                 ///< in [0, 65535]; 0: any free one
  std::vector<std::string> names;  ///< host names of this machine that browsers may use
  std::size_t max_body = 32;       ///< MiB of an image that is sent, > 0
  std::filesystem::path captions;  ///< file of texts, one a line, that are shown for images; empty: none
};

/// Serves a search page and its API until SIGINT or SIGTERM. @return 0
int serve_photos(const ModelOptions& model, const ServeOptions& options);

}  // namespace tool
