#include "thumbnails.hpp"

#include <rc3/io/image/available_decoders.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace tool::serve {

namespace {

/// Limits of `rc3 index`: every photograph of an index is within them.
constexpr rc3::io::ImageLimits limits{.max_bytes = 256 << 20, .max_side = 16384, .max_pixels = 128 << 20};
constexpr std::size_t small_file = 64 << 10;
constexpr int quality = 82;  ///< of JPEG, in [1, 100]

std::string encode_jpeg(const rc3::io::Image& image) {
  std::string bytes;
  const auto append = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  const int done = stbi_write_jpg_to_func(append, &bytes, image.width, image.height, 4, image.rgba.data(), quality);
  rc3::require(done != 0, "a thumbnail cannot be written as JPEG");
  return bytes;
}

}  // namespace

std::string image_type(std::string_view bytes) {
  const std::string kind = rc3::io::kind_of_file(bytes);
  if (kind == "JPEG") return "image/jpeg";
  if (kind == "PNG") return "image/png";
  return kind == "WebP" ? "image/webp" : "";
}

ImageFile original(const std::string& path) {
  ImageFile file{rc3::io::read_file(path, limits.max_bytes), {}};
  file.type = image_type(file.bytes);
  rc3::require(!file.type.empty(), path, ": no image any more; run rc3 index again");
  return file;
}

ImageFile thumbnail(const std::string& path, int side) {
  ImageFile file = original(path);
  rc3::io::Image image = rc3::io::AvailableDecoders::decode(file.bytes, path, limits, {});
  const int longest = std::max(image.width, image.height);
  if (longest <= side && file.bytes.size() <= small_file) return file;
  image = rc3::io::flatten(std::move(image), rc3::io::white);
  if (longest > side) {
    const auto scaled = [&](int x) {
      return std::max(1, static_cast<int>((std::int64_t{x} * side + longest / 2) / longest));
    };
    const int width = scaled(image.width), height = scaled(image.height);
    image = rc3::io::resize(std::move(image), width, height, rc3::io::Resample::bilinear);
  }
  return {encode_jpeg(image), "image/jpeg"};
}

std::string content_tag(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return rc3::join(status.st_size, '-', status.st_mtim.tv_sec, '-', status.st_mtim.tv_nsec);
}

std::shared_ptr<const ImageFile> ThumbnailCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second.place);
  return found->second.file;
}

void ThumbnailCache::add(const std::string& key, std::shared_ptr<const ImageFile> file) {
  const std::lock_guard lock(mutex_);
  if (entries_.contains(key)) return;  // two requests at once
  bytes_ += file->bytes.size();
  order_.push_front(key);
  entries_.emplace(key, Entry{std::move(file), order_.begin()});
  while (bytes_ > budget_ && order_.size() > 1) {
    const auto last = entries_.find(order_.back());
    bytes_ -= last->second.file->bytes.size();
    entries_.erase(last);
    order_.pop_back();
  }
}

std::size_t ThumbnailCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace tool::serve
