#pragma once
/// Members of a tar file with their offsets, so that any thread can read any member.
///
/// Needs libarchive (Debian: libarchive-dev): link rc3::archive beside rc3::light.

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/image/kind.hpp"
#include "rc3/io/tar/locale.hpp"

namespace rc3::io::tar {

/// Regular file in a tar file.
struct Member {
  std::string name;          ///< UTF-8, as stored
  std::uint64_t offset = 0;  ///< offset of its first byte in the tar file
  std::uint64_t size = 0;    ///< bytes
};

/// Members of a tar file, up to its end or its first damage.
struct Table {
  std::vector<Member> members;        ///< in the file's order, all complete
  std::vector<std::string> refused;   ///< unsupported members with the reason: "<file>: <member>: a link"
  std::optional<std::string> damage;  ///< why the table ends before the file: "<file>: at byte 1024: ..."
};

/// Limits of an archive's table of members.
struct TableLimits {
  std::size_t max_members = 10'000'000;  ///< of one archive
  std::size_t max_name = 4096;           ///< bytes
};

namespace detail {

/// Passes a file to libarchive block by block. Payloads are skipped, not read.
struct Source {
  const InputFile& file;
  std::uint64_t position = 0;
  std::array<char, 10240> block{};

  static la_ssize_t read(archive*, void* self, const void** out) {
    auto& s = *static_cast<Source*>(self);
    const auto left = s.file.size() - std::min(s.position, s.file.size());
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, s.block.size()));
    try {
      s.file.read(s.block.data(), n, s.position);
    } catch (const Error&) {
      return ARCHIVE_FATAL;
    }
    s.position += n;
    *out = s.block.data();
    return static_cast<la_ssize_t>(n);
  }
  static la_int64_t skip(archive*, void* self, la_int64_t n) {
    auto& s = *static_cast<Source*>(self);
    s.position += static_cast<std::uint64_t>(n);
    return n;
  }
};

/// Why @p entry is not a readable member; empty: it is one.
inline std::optional<std::string> refusal(archive_entry* entry, const char* name, const TableLimits& limits) {
  if (name == nullptr || !valid_utf8(name)) return "its name is not UTF-8";
  const std::size_t length = std::string_view(name).size();
  if (length == 0 || length > limits.max_name) return join("its name has ", length, " bytes");
  if (archive_entry_hardlink(entry) != nullptr || archive_entry_filetype(entry) != AE_IFREG)
    return "neither a file nor a folder";
  if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0) return "its size makes no sense";
  return std::nullopt;
}

/// What is wrong from @p offset on, where the end mark, a block of zeros, must be and zeros alone follow.
inline std::optional<std::string> wrong_end(const InputFile& file, std::uint64_t offset) {
  constexpr std::uint64_t mark = 512, most = 64 << 10;
  constexpr const char* missing = "the end mark is missing: the file is truncated";
  if (offset + mark > file.size()) return missing;
  std::string part;
  for (auto at = offset; at < file.size(); at += part.size()) {
    part.resize(static_cast<std::size_t>(std::min(most, file.size() - at)));
    file.read(part.data(), part.size(), at);
    const auto found = part.find_first_not_of('\0');
    if (found == std::string::npos) continue;
    if (at + found < offset + mark) return missing;
    return join("after the end mark, at byte ", at + found,
                ", more data follows, which is not read; of shards written ",
                "one after another into one file, give each as a file");
  }
  return std::nullopt;
}

}  // namespace detail

/// Members of a plain tar file: ustar, pax or GNU. Folders are skipped. The table ends at the first damage and keeps
/// the members before.
/// @throws rc3::Error naming the file if it is not a tar file, or compressed
inline Table read_table(const InputFile& file, const TableLimits& limits = {}) {
  const detail::Utf8Locale utf8;
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  const std::string path = file.path().string();
  require(reader != nullptr && archive_read_support_format_tar(reader.get()) == ARCHIVE_OK, path,
          ": libarchive cannot read tar");
  detail::Source source{file};
  archive_read_set_callback_data(reader.get(), &source);
  archive_read_set_read_callback(reader.get(), detail::Source::read);
  archive_read_set_skip_callback(reader.get(), detail::Source::skip);
  if (archive_read_open1(reader.get()) != ARCHIVE_OK) {
    std::string begin(static_cast<std::size_t>(std::min<std::uint64_t>(1024, file.size())), '\0');
    file.read(begin.data(), begin.size(), 0);
    fail(path, ": no tar file, but ", begin.empty() ? "empty" : kind_of_file(begin),
         "; a compressed one (.tar.gz) must be unpacked first: its images are compressed already");
  }

  Table table;
  std::uint64_t end = 0;  // end of the last member, in whole blocks
  const auto damaged = [&](std::uint64_t offset, const std::string& why) {
    table.damage = join(path, ": at byte ", offset, ": ", why);
  };
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) {
      if (const auto why = detail::wrong_end(file, end)) damaged(end, *why);
      break;
    }
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
      const char* why = archive_error_string(reader.get());
      damaged(end, why == nullptr ? "damaged" : why);
      break;
    }
    const char* name = archive_entry_pathname_utf8(entry);
    const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
    const auto offset = static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), 0));
    const std::string shown = name == nullptr ? "a member" : name;
    if (archive_entry_sparse_count(entry) > 0) {  // fewer bytes than its size: libarchive knows where it ends
      table.refused.push_back(join(path, ": ", shown, ": a sparse file"));
      archive_read_data_skip(reader.get());
      end = static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), 0));
      continue;
    }
    if (offset > file.size() || size > file.size() - offset) {
      damaged(offset, join(shown, ": has ", size, " bytes, more than the file: it is truncated"));
      break;
    }
    end = offset + (size + 511) / 512 * 512;
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (const auto why = detail::refusal(entry, name, limits)) {
      table.refused.push_back(join(path, ": ", shown, ": ", *why));
      continue;
    }
    require(table.members.size() < limits.max_members, path, ": has more than ", limits.max_members, " members");
    table.members.push_back({name, offset, size});
  }
  return table;
}

}  // namespace rc3::io::tar
