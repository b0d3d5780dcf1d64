#pragma once
/// Writing tar files. Needs libarchive: link rc3::archive beside rc3::light.

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/tar/locale.hpp"

namespace rc3::io::tar {

/// Tar file in construction: ustar, with pax headers if a name is long or not ASCII. Without times and owners, so equal
/// members give equal bytes. It appears under its name, complete, in commit().
class Writer {
 public:
  /// @throws rc3::Error if the folder does not exist or is not writable
  explicit Writer(std::filesystem::path path)
      : name_(path.string()), file_(std::move(path)), archive_(archive_write_new(), archive_write_free) {
    check(archive_write_set_format_pax_restricted(archive_.get()));
    check(archive_write_open2(archive_.get(), this, nullptr, &Writer::put, nullptr, nullptr));
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Appends a file. @param name  UTF-8, not empty. @throws rc3::Error, for example if the disk is full
  void add(std::string_view name, std::string_view bytes) {
    require(!name.empty(), name_, ": a member needs a name");
    const detail::Utf8Locale utf8;
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname_utf8(entry.get(), std::string(name).c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    check(archive_write_header(archive_.get(), entry.get()));
    if (!bytes.empty())
      require(archive_write_data(archive_.get(), bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()),
              name_, ": cannot write: ", why());
    bytes_ += bytes.size();
  }

  /// Bytes of the members so far, without headers.
  std::uint64_t bytes() const { return bytes_; }

  /// Completes the file and renames it. @throws rc3::Error if this fails
  void commit() {
    check(archive_write_close(archive_.get()));
    file_.commit();
  }

 private:
  static la_ssize_t put(archive*, void* self, const void* data, std::size_t size) {
    auto& writer = *static_cast<Writer*>(self);
    try {
      writer.file_.write(data, size);
    } catch (const Error& error) {  // must not propagate through libarchive
      writer.failure_ = error.what();
      return ARCHIVE_FATAL;
    }
    return static_cast<la_ssize_t>(size);
  }
  std::string why() const {
    const char* text = archive_error_string(archive_.get());
    return text == nullptr ? "libarchive does not say why" : text;
  }
  void check(int status) const {
    if (!failure_.empty()) throw Error(failure_);
    require(status == ARCHIVE_OK, name_, ": cannot write: ", why());
  }

  std::string name_;
  OutputFile file_;
  std::string failure_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<archive, decltype(&archive_write_free)> archive_;  ///< last member: its destructor may still write
};

}  // namespace rc3::io::tar
