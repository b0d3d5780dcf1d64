#pragma once
/// Text file as a list of lines; any thread may read any line.

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/io/file.hpp"

namespace rc3::io {

static_assert(std::endian::native == std::endian::little, "index files are little-endian, and copied as they are");

/// Limits of a file that is read by lines.
struct LinesOptions {
  std::uint64_t max_line = 16 << 20;      ///< bytes of one line, including its end; read() refuses longer ones
  std::uint64_t max_lines = 500'000'000;  ///< each line takes 8 bytes of memory
  bool save_index = false;                ///< saves the offsets of lines in `<file>.idx` and reuses them
};

/// Lines end with LF or CR LF; the last may end with the file. Opening reads the file once, unless a valid index
/// exists: u64 magic, version, file size, mtime in ns, number of lines, checksum of the rest, then the offset of each
/// line and of the file's end.
class Lines {
 public:
  /// @throws rc3::Error if @p path cannot be read or has too many lines. An invalid index is rebuilt; one that cannot
  ///         be written is skipped.
  explicit Lines(std::filesystem::path path, const LinesOptions& options = {})
      : file_(std::move(path)), options_(options) {
    if (options.save_index) from_index_ = load();
    if (from_index_) return;
    scan();
    if (options.save_index) save();
  }

  const std::filesystem::path& path() const { return file_.path(); }
  std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()) - 1; }  ///< number of lines
  /// Whether the offsets came from `<file>.idx`.
  bool from_index() const { return from_index_; }
  /// Name of line @p i in errors: "a.jsonl:1" for line 0, as editors count.
  std::string where(std::int64_t i) const { return join(path().string(), ':', i + 1); }

  /// Line @p i of 0 .. size() - 1, without its end. @throws rc3::Error if it is too long or no longer exists.
  std::string read(std::int64_t i) const {
    const auto [begin, end] = place(i);
    require(end - begin <= options_.max_line, where(i), ": the line has ", end - begin,
            " bytes, more than the allowed ", options_.max_line);
    std::string line = bytes(begin, end);
    if (line.ends_with('\n')) line.erase(line.size() - (line.ends_with("\r\n") ? 2 : 1));
    return line;
  }

  /// First bytes of line @p i, at most @p most, when the whole line is not needed. May include the line's end.
  std::string read_begin(std::int64_t i, std::size_t most) const {
    const auto [begin, end] = place(i);
    return bytes(begin, std::min(end, begin + most));
  }

 private:
  static constexpr std::uint64_t magic = 0x73656e696c336372;  // "rc3lines"
  static constexpr std::uint64_t version = 1;

  struct Head {
    std::uint64_t magic, version, file_size, file_mtime, lines, checksum;
  };
  static_assert(sizeof(Head) == 48);

  std::pair<std::uint64_t, std::uint64_t> place(std::int64_t i) const {
    require(0 <= i && i < size(), path().string(), ": has ", size(), " lines, no line ", i + 1);
    return {offsets_[static_cast<std::size_t>(i)], offsets_[static_cast<std::size_t>(i) + 1]};
  }

  std::string bytes(std::uint64_t begin, std::uint64_t end) const {
    std::string out(static_cast<std::size_t>(end - begin), '\0');
    file_.read(out.data(), out.size(), begin);
    return out;
  }

  void scan() {
    offsets_.assign(1, 0);
    std::vector<char> block(static_cast<std::size_t>(std::min<std::uint64_t>(file_.size(), 4 << 20)));
    for (std::uint64_t at = 0; at < file_.size(); at += block.size()) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), file_.size() - at));
      file_.read(block.data(), size, at);
      const char* const end = block.data() + size;
      for (const char* c = block.data(); (c = static_cast<const char*>(std::memchr(c, '\n', std::size_t(end - c))));)
        add(at + static_cast<std::uint64_t>(++c - block.data()));
    }
    if (offsets_.back() != file_.size()) add(file_.size());
  }

  void add(std::uint64_t end) {
    require(offsets_.size() <= options_.max_lines, path().string(), ": more than the allowed ", options_.max_lines,
            " lines");
    offsets_.push_back(end);
  }

  std::filesystem::path index_path() const { return path().string() + ".idx"; }

  // FNV-1a over words: each step is a bijection, so one changed word is always detected.
  static std::uint64_t checksum(Head head, const std::vector<std::uint64_t>& offsets) {
    head.checksum = 0;
    std::uint64_t hash = 0xcbf29ce484222325u;
    const auto take = [&](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3u; };
    for (const std::uint64_t word : std::bit_cast<std::array<std::uint64_t, 6>>(head)) take(word);
    for (const std::uint64_t word : offsets) take(word);
    return hash;
  }

  Head head() const {
    struct stat status {};
    require(::fstat(file_.descriptor(), &status) == 0, path().string(), ": cannot read: ", std::strerror(errno));
    const auto mtime = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000u +
                       static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
    return {magic, version, file_.size(), mtime, static_cast<std::uint64_t>(size()), 0};
  }

  bool load() try {
    const InputFile index(index_path());
    Head found{};
    if (index.size() < sizeof found) return false;
    index.read(&found, sizeof found, 0);
    // A line has at least one byte, so an impossible number of lines allocates no memory.
    if (found.lines > std::min(file_.size(), options_.max_lines)) return false;
    if (index.size() != sizeof found + 8 * (found.lines + 1)) return false;
    offsets_.resize(static_cast<std::size_t>(found.lines) + 1);
    index.read(offsets_.data(), 8 * offsets_.size(), sizeof found);
    Head expected = head();
    expected.checksum = checksum(expected, offsets_);
    const bool rising = std::adjacent_find(offsets_.begin(), offsets_.end(), std::greater_equal<>()) == offsets_.end();
    return std::memcmp(&found, &expected, sizeof found) == 0 && rising && offsets_.front() == 0 &&
           offsets_.back() == file_.size();
  } catch (const Error&) {
    return false;  // it does not exist or cannot be read
  }

  void save() const try {
    Head saved = head();
    saved.checksum = checksum(saved, offsets_);
    OutputFile out(index_path());
    out.write(&saved, sizeof saved);
    out.write(offsets_.data(), 8 * offsets_.size());
    out.commit();
  } catch (const Error&) {
    // A folder that is not writable costs one pass over the file at the next start, nothing else.
  }

  InputFile file_;
  LinesOptions options_;
  std::vector<std::uint64_t> offsets_;  ///< start of each line, and end of the file
  bool from_index_ = false;
};

}  // namespace rc3::io
