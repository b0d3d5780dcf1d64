#pragma once
/// Lock of a folder that one program at a time may write to.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"

namespace rc3::io {

/// Scope guard: holds `FOLDER/lock`, which names process and host. The kernel releases the lock when the process ends,
/// however it ends, so that an old file is no obstacle. The file stays: removing it would race with the next owner.
class FolderLock {
 public:
  static constexpr const char* name = "lock";  ///< of the file in the folder

  /// @param folder  exists
  /// @throws rc3::Error naming folder, process and host if another program, or another guard of this one, holds it; if
  ///         the file cannot be made
  explicit FolderLock(const std::filesystem::path& folder) {
    const auto path = folder / name;
    file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    require(file_.get() >= 0, path.string(), ": cannot open: ", std::strerror(errno));
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      // A file system without locks, as some network file systems: the folder is then unguarded.
      if (errno != EWOULDBLOCK) return;
      const auto owner = content();
      fail(folder.string(), ": another program writes here", owner.empty() ? "" : ": ", owner,
           "; stop it, or give another folder (", path.string(), ")");
    }
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
    const auto text = join("process ", ::getpid(), " on ", host.data(), '\n');
    // Informative only: a full disk must not prevent a run.
    [[maybe_unused]] const bool written =
        ::ftruncate(file_.get(), 0) == 0 && ::pwrite(file_.get(), text.data(), text.size(), 0) > 0;
  }

 private:
  /// Words of the lock's owner.
  std::string content() const {
    std::array<char, 300> bytes{};
    const auto n = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
    const std::string_view text(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    return std::string(text.substr(0, text.find('\n')));
  }

  Descriptor file_;
};

}  // namespace rc3::io
