#pragma once
/// Small images of photographs, with a cache in memory.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tool::serve {

/// Image file as a browser shows it.
struct ImageFile {
  std::string bytes;
  std::string type;  ///< image/jpeg, image/png or image/webp
};

/// Type of an image file that browsers show; empty for anything else. @param bytes  at least its first 16
std::string image_type(std::string_view bytes);

/// The image file @p path as it is. @throws rc3::Error if it cannot be read or is none that browsers show
ImageFile original(const std::string& path);

/// Reduced JPEG of the image file @p path, upright, on white. A file that is small already is returned as it is.
/// @param side  longest side, pixels
/// @throws rc3::Error if the file cannot be read or decoded
ImageFile thumbnail(const std::string& path, int side);

/// Identity of a file's content: size and time of modification; empty if it cannot be found out.
std::string content_tag(const std::string& path);

/// Thumbnails by key. The ones that were used last stay.
class ThumbnailCache {
 public:
  /// @param budget  bytes of all images
  explicit ThumbnailCache(std::size_t budget) : budget_(budget) {}

  /// Null if there is none.
  std::shared_ptr<const ImageFile> find(const std::string& key);
  void add(const std::string& key, std::shared_ptr<const ImageFile> file);
  std::size_t bytes() const;

 private:
  struct Entry {
    std::shared_ptr<const ImageFile> file;
    std::list<std::string>::iterator place;
  };
  std::size_t budget_, bytes_ = 0;
  std::list<std::string> order_;  ///< the last used at the front
  std::unordered_map<std::string, Entry> entries_;
  mutable std::mutex mutex_;
};

}  // namespace tool::serve
