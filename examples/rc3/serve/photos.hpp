#pragma once
/// The index that a server searches, and its exchange when the file changes.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <rc3/search/index.hpp>

namespace tool::serve {

/// Found photograph.
struct Photo {
  std::uint64_t id = 0;
  std::string name;                                       ///< path below the common folder of all photographs
  float score = 0;                                        ///< cosine, in [-1, 1]
  float match = std::numeric_limits<float>::quiet_NaN();  ///< probability by ITM, in [0, 1], after a re-ranking
};

/// Photographs of an index. Requests name a photograph by its id, a hash of its path: no path of a request is ever
/// opened, and an id means the same file before and after the index was made again.
class Photos {
 public:
  /// @param model    name that the index must have; empty: any
  /// @param threads  of a search, >= 1
  /// @throws rc3::Error as search::Index::load does
  Photos(const std::filesystem::path& index, const std::string& model, int threads);

  std::int64_t size() const { return index_.size(); }
  std::int64_t dimension() const { return index_.dimension(); }

  /// The @p top photographs closest to @p vector, best first. @param without  id of one that is left out
  std::vector<Photo> closest(std::span<const float> vector, std::int64_t top,
                             std::optional<std::uint64_t> without = {}) const;
  /// Path of a photograph; null for an unknown id.
  const std::string* path(std::uint64_t id) const;
  /// Stored vector of a photograph. @pre path(id) != null
  std::vector<float> vector(std::uint64_t id) const { return index_.vector(*path(id)); }

 private:
  rc3::search::Index index_;
  std::unordered_map<std::uint64_t, std::string> paths_;  ///< by id
  std::unordered_map<std::string, std::uint64_t> ids_;    ///< by path
  std::size_t common_ = 0;                                ///< bytes of the common folder, with its slash
};

/// Photographs of a file that `rc3 index` may replace at any time.
class LivePhotos {
 public:
  /// @throws rc3::Error as Photos does
  LivePhotos(std::filesystem::path index, std::string model, int threads);

  /// Present photographs. A request keeps those that it began with.
  std::shared_ptr<const Photos> now() const;

  /// Loads the file if it changed. If that fails, the old photographs stay, and problem() has the reason.
  /// @return whether there are new photographs
  bool refresh();

  /// Reason why the file's present content is not used; empty: it is.
  std::string problem() const;

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = -1, seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const std::filesystem::path& path);

  std::filesystem::path file_;
  std::string model_;
  int threads_;
  Stamp stamp_;  ///< of the last attempt
  mutable std::mutex mutex_;
  std::shared_ptr<const Photos> photos_;
  std::string problem_;
};

}  // namespace tool::serve
