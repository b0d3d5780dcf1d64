#pragma once
/// Files of a folder: what is an image, and what changed since an index was made. LibTorch-free.

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image.hpp"
#include "rc3/search/file_state.hpp"

namespace rc3::search {

/// Which files of a folder are seen.
struct FolderOptions {
  bool hidden = false;  ///< also files and folders whose name begins with a dot
};

/// Regular file of a folder.
struct FolderFile {
  std::string path;           ///< begins with folder_name(), except in the folder "."
  std::int64_t size = 0;      ///< bytes
  std::int64_t modified = 0;  ///< nanoseconds since 1970
};

/// File or folder that is left out.
struct Skipped {
  std::string path;    ///< as FolderFile::path
  std::string reason;  ///< for people, without the path
};

/// Content of a folder.
struct FolderFiles {
  std::vector<FolderFile> files;  ///< sorted by path
  std::vector<Skipped> skipped;   ///< sorted by path
};

/// Name of @p folder in paths: "photos" for "./photos/", "." for "".
inline std::string folder_name(const std::filesystem::path& folder) {
  std::string name = folder.lexically_normal().generic_string();
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name.empty() ? "." : name;
}

/// Whether the path @p name is below @p folder, a folder_name().
inline bool is_inside(std::string_view folder, std::string_view name) {
  if (folder == ".") return !name.starts_with('/') && !name.starts_with("../");
  return name.starts_with(folder) &&
         (folder.ends_with('/') || (name.size() > folder.size() && name[folder.size()] == '/'));
}

namespace detail {

/// Walks a folder. Links to folders are followed after everything else, each folder once: a loop of links ends, and a
/// link into the folder itself adds nothing.
class FolderWalk {
 public:
  FolderWalk(const std::filesystem::path& folder, const FolderOptions& options) : options_(options) {
    const std::string name = folder_name(folder);
    struct stat status {};
    const bool exists = ::stat(name.c_str(), &status) == 0;  // before errno is read
    require(exists, name, ": cannot read the folder: ", std::strerror(errno));
    require(S_ISDIR(status.st_mode), name, ": not a folder; give the folder that holds the images");
    seen_.emplace(status.st_dev, status.st_ino);
    std::error_code failed;
    std::filesystem::directory_iterator probe(name, failed);
    require(!failed, name, ": cannot read the folder: ", failed.message());
    folders_.push_back(name);
    while (!folders_.empty() || !links_.empty()) {
      auto& queue = folders_.empty() ? links_ : folders_;
      const std::string next = std::move(queue.front());
      queue.pop_front();
      if (&queue == &links_ && !enter(next)) continue;
      read(next);
    }
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(found_.files.begin(), found_.files.end(), by_path);
    std::sort(found_.skipped.begin(), found_.skipped.end(), by_path);
  }

  FolderFiles found() { return std::move(found_); }

 private:
  /// @return whether the folder behind a link is a new one
  bool enter(const std::string& link) {
    struct stat status {};
    return ::stat(link.c_str(), &status) == 0 && seen_.emplace(status.st_dev, status.st_ino).second;
  }

  void read(const std::string& folder) {
    std::error_code failed;
    std::filesystem::directory_iterator entries(folder, failed);
    std::vector<std::string> names;
    for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed))
      names.push_back(entries->path().filename().string());
    if (failed) skip(folder, "cannot read the folder: " + failed.message());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
      if (options_.hidden || !name.starts_with('.'))
        add(folder == "." ? name : folder.ends_with('/') ? folder + name : folder + '/' + name);
  }

  void add(const std::string& path) {
    struct stat link {
    }, status{};
    if (::lstat(path.c_str(), &link) != 0) {
      if (errno != ENOENT) skip(path, std::string("cannot read: ") + std::strerror(errno));  // ENOENT: gone meanwhile
    } else if (::stat(path.c_str(), &status) != 0) {
      const bool nowhere = S_ISLNK(link.st_mode) && (errno == ENOENT || errno == ELOOP);
      skip(path, nowhere ? "a link that leads nowhere" : std::string("cannot read: ") + std::strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
      if (S_ISLNK(link.st_mode))
        links_.push_back(path);
      else if (seen_.emplace(status.st_dev, status.st_ino).second)
        folders_.push_back(path);
    } else if (!S_ISREG(status.st_mode)) {
      skip(path, "not a file: a device, pipe or socket");
    } else if (!valid_utf8(path)) {
      skip(path, "its name is not UTF-8; rename it");
    } else {
      found_.files.push_back({path, static_cast<std::int64_t>(status.st_size), modified_of(status)});
    }
  }

  void skip(const std::string& path, std::string reason) { found_.skipped.push_back({path, std::move(reason)}); }

  FolderOptions options_;
  std::deque<std::string> folders_, links_;
  std::set<std::pair<dev_t, ino_t>> seen_;
  FolderFiles found_;
};

/// The first 1024 bytes of a file, or all. @throws rc3::Error if it cannot be read
inline std::string beginning_of(const std::string& path) {
  const io::InputFile file(path);
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 1024)), '\0');
  file.read(bytes.data(), bytes.size(), 0);
  return bytes;
}

/// Whether @p path is certainly no file any more. False if this cannot be found out, as below an unreadable folder.
inline bool is_gone(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return !S_ISREG(status.st_mode);
  return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

/// A file may change again within the resolution of its time: 2 s on FAT. Such a time identifies no content.
inline std::int64_t certain_time(std::int64_t modified) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr std::int64_t second = 1'000'000'000;
  return modified < std::int64_t{now.tv_sec} * second + now.tv_nsec - 2 * second ? modified : 0;
}

}  // namespace detail

/// Regular files below @p folder, of any type; paths begin with @p folder as given. Folders and files that cannot be
/// read, and what is no regular file, are listed as skipped.
/// @throws rc3::Error if @p folder does not exist, is no folder or cannot be read
inline FolderFiles list_folder(const std::filesystem::path& folder, const FolderOptions& options = {}) {
  return detail::FolderWalk(folder, options).found();
}

/// Image file of a folder. The state's checksum is not computed yet: it needs the whole file.
struct FolderImage {
  std::string path;  ///< as FolderFile::path
  FileState state;   ///< size and time; the checksum is 0 unless computed
};

/// Differences between a folder and an index of it. Every list is sorted by path.
struct FolderChanges {
  std::vector<FolderImage> added;    ///< not in the index
  std::vector<FolderImage> changed;  ///< in the index, with another content
  std::vector<FolderImage> touched;  ///< in the index, with the same content and another time; with checksum
  std::vector<std::string> removed;  ///< in the index, but gone or no image any more
  std::vector<Skipped> skipped;      ///< no image, or unreadable
  std::int64_t unchanged = 0;        ///< number of files with the size and time of the index

  /// Number of images in the folder.
  std::int64_t images() const { return std::ssize(added) + std::ssize(changed) + std::ssize(touched) + unchanged; }
};

/// Compares @p folder with @p known. The first bytes of new files decide what an image is, not the name's extension;
/// files of equal size and time are not opened. A damaged image is found only when it is decoded.
/// @tparam Decoders  decoders of image files
/// @param known  states of indexed files; those outside @p folder are ignored
/// @throws rc3::Error as list_folder() does
template <class Decoders = io::DefaultDecoders>
FolderChanges folder_changes(const std::filesystem::path& folder, const FileStates& known,
                             const FolderOptions& options = {}) {
  FolderFiles found = list_folder(folder, options);
  FolderChanges changes;
  changes.skipped = std::move(found.skipped);
  std::set<std::string_view> listed;  // known files whose fate is decided
  for (const FolderFile& file : found.files) {
    const auto before = known.find(file.path);
    const bool is_known = before != known.end();
    const FileState now{file.size, detail::certain_time(file.modified), 0};
    if (is_known && before->second.size == now.size && before->second.modified == now.modified && now.modified != 0) {
      listed.insert(before->first);
      ++changes.unchanged;
      continue;
    }
    if (is_known) listed.insert(before->first);
    try {
      const std::string bytes = detail::beginning_of(file.path);
      if (!Decoders::recognises(bytes)) {
        if (is_known) changes.removed.push_back(file.path);
        changes.skipped.push_back({file.path, bytes.empty() ? "empty" : Decoders::why_not(bytes)});
        continue;
      }
      if (!is_known) {
        changes.added.push_back({file.path, now});
        continue;
      }
      const bool same = before->second.size == now.size && checksum_of(file.path) == before->second.checksum;
      if (same)
        changes.touched.push_back({file.path, {now.size, now.modified, before->second.checksum}});
      else
        changes.changed.push_back({file.path, now});
    } catch (const Error& error) {  // unreadable at present: what is known of it stays
      std::string reason = error.what();
      if (reason.starts_with(file.path + ": ")) reason.erase(0, file.path.size() + 2);
      changes.skipped.push_back({file.path, std::move(reason)});
    }
  }
  const std::string name = folder_name(folder);
  for (const auto& [path, state] : known)
    if (is_inside(name, path) && !listed.contains(path) && detail::is_gone(path)) changes.removed.push_back(path);
  std::sort(changes.removed.begin(), changes.removed.end());
  std::sort(changes.skipped.begin(), changes.skipped.end(),
            [](const Skipped& a, const Skipped& b) { return a.path < b.path; });
  return changes;
}

}  // namespace rc3::search
