#include "photos.hpp"

#include <rc3/data/text/text_id.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tool::serve {

namespace {

/// Bytes of the folder that all @p sorted paths share, with its slash.
std::size_t common_folder(const std::vector<std::string_view>& sorted) {
  if (sorted.empty()) return 0;
  const std::string_view first = sorted.front(), last = sorted.back();  // all others are between these two
  const auto end = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  const auto slash = first.substr(0, static_cast<std::size_t>(end - first.begin())).rfind('/');
  if (sorted.size() > 1) return slash == std::string_view::npos ? 0 : slash + 1;
  const auto own = first.rfind('/');
  return own == std::string_view::npos ? 0 : own + 1;
}

}  // namespace

Photos::Photos(const std::filesystem::path& index, const std::string& model, int threads)
    : index_(rc3::search::Index::load(index, model, threads)) {
  const auto names = index_.names();
  common_ = common_folder(names);
  for (const std::string_view name : names) {
    auto id = static_cast<std::uint64_t>(rc3::data::text_id(name));
    while (!paths_.emplace(id, name).second) ++id;  // two paths of one hash
    ids_.emplace(name, id);
  }
}

std::vector<Photo> Photos::closest(std::span<const float> vector, std::int64_t top,
                                   std::optional<std::uint64_t> without) const {
  std::vector<Photo> found;
  for (const auto& hit : index_.search(vector, top + (without ? 1 : 0))) {
    const auto id = ids_.at(hit.name);
    if (id != without && std::ssize(found) < top) found.push_back({id, hit.name.substr(common_), hit.score});
  }
  return found;
}

const std::string* Photos::path(std::uint64_t id) const {
  const auto found = paths_.find(id);
  return found == paths_.end() ? nullptr : &found->second;
}

LivePhotos::LivePhotos(std::filesystem::path index, std::string model, int threads)
    : file_(std::move(index)), model_(std::move(model)), threads_(threads), stamp_(stamp_of(file_)) {
  photos_ = std::make_shared<const Photos>(file_, model_, threads_);
}

LivePhotos::Stamp LivePhotos::stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

std::shared_ptr<const Photos> LivePhotos::now() const {
  const std::lock_guard lock(mutex_);
  return photos_;
}

bool LivePhotos::refresh() {
  const Stamp stamp = stamp_of(file_);  // before the file is read: a later change is seen at the next call
  if (stamp == stamp_) return false;
  stamp_ = stamp;
  std::shared_ptr<const Photos> fresh;
  std::string problem;
  try {
    fresh = std::make_shared<const Photos>(file_, model_, threads_);
  } catch (const std::exception& error) {  // std::bad_alloc too: the old photographs are still there
    problem = error.what();
  }
  const std::lock_guard lock(mutex_);
  problem_ = std::move(problem);
  if (fresh == nullptr) return false;
  photos_.swap(fresh);
  return true;
}

std::string LivePhotos::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

}  // namespace tool::serve
