#pragma once
/// Texts that a server finds for images.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <rc3/search/index.hpp>

#include "rc3/serve/encoder.hpp"

namespace tool::serve {

/// Lines of a file, embedded once. Several threads may search at once.
class Captions {
 public:
  static constexpr std::size_t max_line = 2048;        ///< bytes of a caption, as of a query
  static constexpr std::size_t max_lines = 1'000'000;  ///< lines of the file

  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

  /// Blank lines are left out, and equal ones are one caption.
  /// @param file     UTF-8, one text a line
  /// @param threads  of a search, >= 1
  /// @throws rc3::Error naming file and line: unreadable, not UTF-8, too long; if it has no text
  Captions(const std::filesystem::path& file, const Encoder& encoder, int threads, const Progress& progress = {});

  std::int64_t size() const { return index_.size(); }

  /// The @p top texts closest to @p vector, best first: a name is the text.
  std::vector<rc3::search::Hit> closest(std::span<const float> vector, std::int64_t top) const {
    return index_.search(vector, top);
  }

 private:
  rc3::search::Index index_;
};

}  // namespace tool::serve
