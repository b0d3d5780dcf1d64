#pragma once
/// WebDataset shards: plain tar files with adjacent members for each sample. LibTorch-free.
///
/// Needs libarchive (Debian: libarchive-dev): link rc3::archive in addition to rc3::light.

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/record.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/tar/table.hpp"

namespace rc3::data {

struct WebDatasetOptions {
  std::string language = "und";          ///< of members "<key>.txt"
  std::uint64_t max_member = 64u << 20;  ///< bytes; a larger member is an error
};

/// The *.tar files of @p folder, sorted by name. @throws rc3::Error if there are none
inline std::vector<std::filesystem::path> shards_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> shards;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().extension() == ".tar") shards.push_back(entry.path());
  require(!failed, folder.string(), ": cannot be read: ", failed.message());
  require(!shards.empty(), folder.string(), ": has no *.tar");
  std::sort(shards.begin(), shards.end());
  return shards;
}

/// A sample consists of the members with one key, the path up to the first dot of the base name:
///
///   <key>.jpg, .jpeg, .png, .webp   the image; required
///   <key>.json                      a record (see record.hpp), without "image" and "features"
///   <key>.<language>.txt            a text in that language, written independently of the others
///   <key>.txt                       the same in WebDatasetOptions::language
///   <key>.safetensors               regions (see region_file.hpp)
///
/// At least one text is required. Other members are skipped, and counted in ignored().
/// Source: github.com/webdataset/webdataset
class WebDataset {
 public:
  /// Reads the headers of all @p shards. DataErrors: "damaged shard" (samples before the damage are kept), "refused
  /// member", "large member", "duplicate id" (a repeated key, in any shard), "missing member".
  explicit WebDataset(const std::vector<std::filesystem::path>& shards, DataErrors& errors,
                      WebDatasetOptions options = {})
      : options_(std::move(options)) {
    require(!shards.empty(), "data::WebDataset: no shards");
    name_ = shards.size() == 1 ? shards[0].string() : join(shards[0].string(), " and ", shards.size() - 1, " more");
    Keys keys;
    for (const auto& path : shards) open(path, keys, errors);
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  const LanguageCounts& languages() const { return languages_; }
  const std::vector<std::int64_t>& shards() const { return first_; }
  /// Number of skipped members by the rest of their name after the key.
  const std::map<std::string, std::int64_t>& ignored() const { return ignored_; }

  /// @throws rc3::Error naming shard, sample, field and reason
  Sample read(std::int64_t i) const {
    require(i >= 0 && i < size(), name_, ": sample ", i, " of ", size());
    return read(samples_[static_cast<std::size_t>(i)]);
  }

  /// Asks the system to prefetch the bytes of samples first .. first + count - 1.
  void will_read(std::int64_t first, std::int64_t count) const {
    const std::int64_t end = std::min(first + count, size());
    for (std::int64_t i = std::max<std::int64_t>(first, 0); i < end;) {
      const Parts& begin = samples_[static_cast<std::size_t>(i)];
      std::uint64_t last = begin.end;
      for (; i < end && samples_[static_cast<std::size_t>(i)].shard == begin.shard; ++i)
        last = samples_[static_cast<std::size_t>(i)].end;
      ::posix_fadvise(files_[begin.shard]->descriptor(), static_cast<off_t>(begin.begin),
                      static_cast<off_t>(last - begin.begin), POSIX_FADV_WILLNEED);
    }
  }

 private:
  /// A member, by the rest of its name after the key: "jpg", "de.txt".
  struct Part {
    std::string extension;
    std::uint64_t offset = 0, size = 0;
  };
  struct Parts {
    std::size_t shard = 0;
    std::string key;
    std::vector<Part> parts;
    std::uint64_t begin = 0, end = 0;  ///< its bytes in the shard
  };

  /// The shard of each key; `whole` once there is a sample for it, so that a dropped one may occur again in a later
  /// shard.
  using Keys = std::unordered_map<std::string, std::size_t>;
  static constexpr std::size_t whole = static_cast<std::size_t>(-1), unseen = whole - 1;

  static bool is_image(std::string_view e) { return e == "jpg" || e == "jpeg" || e == "png" || e == "webp"; }
  static bool is_text(std::string_view e) { return e == "txt" || e.ends_with(".txt"); }
  static bool is_known(std::string_view e) {
    return is_image(e) || e == "json" || e == "safetensors" ||
           (is_text(e) && (e == "txt" || is_language_tag(e.substr(0, e.size() - 4))));
  }

  void open(const std::filesystem::path& path, Keys& keys, DataErrors& errors) {
    files_.push_back(std::make_unique<io::InputFile>(path));
    first_.push_back(size());
    const auto table = io::tar::read_table(*files_.back());
    for (const auto& refused : table.refused) errors.add("refused member", refused);
    Parts group;
    const auto close = [&] {
      if (!group.key.empty()) take(std::move(group), keys, errors);
      group = {};
    };
    for (const auto& member : table.members) {
      const auto slash = member.name.rfind('/');
      const auto dot = member.name.find('.', slash == std::string::npos ? 0 : slash + 1);
      const std::string key = member.name.substr(0, dot);
      const std::string extension = dot == std::string::npos ? "" : member.name.substr(dot + 1);
      if (key != group.key) close();
      if (group.key.empty()) group = {files_.size() - 1, key, {}, member.offset, 0};
      group.end = member.offset + member.size;
      if (!is_known(extension)) {
        ++ignored_[extension];
      } else if (member.size > options_.max_member) {
        errors.add("large member", join(path.string(), ": ", member.name, ": has ", member.size,
                                        " bytes, more than the allowed ", options_.max_member));
      } else {
        group.parts.push_back({extension, member.offset, member.size});
      }
    }
    close();
    if (table.damage) errors.add("damaged shard", *table.damage);
  }

  void take(Parts group, Keys& keys, DataErrors& errors) {
    const std::string where = where_of(group);
    errors.add_samples();
    auto& seen = keys.try_emplace(group.key, unseen).first->second;
    if (seen == whole || seen == group.shard) {  // it has a sample, or its members are not adjacent
      errors.add("duplicate id", join(where, ": the key is used again"));
      return;
    }
    seen = group.shard;
    const auto count = [&](auto is) {
      return std::count_if(group.parts.begin(), group.parts.end(), [&](const Part& p) { return is(p.extension); });
    };
    const auto images = count(is_image), records = count([](std::string_view e) { return e == "json"; });
    if (images != 1) {
      errors.add(images == 0 ? "missing member" : "duplicate id", join(where, ": has ", images, " images"));
      return;
    }
    if (records + count(is_text) == 0) {
      errors.add("missing member", join(where, ": has neither a text nor a record"));
      return;
    }
    samples_.push_back(std::move(group));
    try {
      const Sample sample = read(samples_.back(), /*with_image=*/false);
      for (const Text& text : sample.texts) ++languages_[text.language];
      seen = whole;
    } catch (const Error& error) {
      samples_.pop_back();
      errors.add("malformed record", error.what());
    }
  }

  std::string where_of(const Parts& group) const { return join(files_[group.shard]->path().string(), ": ", group.key); }

  std::string bytes_of(const Parts& group, const Part& part) const {
    std::string bytes(static_cast<std::size_t>(part.size), '\0');
    files_[group.shard]->read(bytes.data(), bytes.size(), part.offset);
    return bytes;
  }

  Sample read(const Parts& group, bool with_image = true) const {
    const std::string where = where_of(group);
    Sample sample;
    for (const Part& part : group.parts) {
      if (part.extension != "json") continue;
      const auto json = io::parse_json(bytes_of(group, part), where + ".json");
      // A shard must not make the reader open other files.
      for (const char* key : {"image", "features"})
        require(!json.is_object() || !json.contains(key), where, ".json: \"", key,
                "\" names a file; in a shard it is a member of its own");
      sample = read_record(json, where + ".json").sample;
    }
    if (sample.id.empty()) sample.id = group.key;
    std::int64_t group_number = 0;
    for (const Text& text : sample.texts) group_number = std::max(group_number, text.group + 1);
    for (const Part& part : group.parts) {
      if (is_text(part.extension)) {
        const std::string language =
            part.extension == "txt" ? options_.language : part.extension.substr(0, part.extension.size() - 4);
        sample.texts.push_back({language, bytes_of(group, part), group_number++});
      } else if (part.extension == "safetensors") {
        sample.regions = read_regions(bytes_of(group, part), where + ".safetensors", sample.regions);
      } else if (is_image(part.extension) && with_image) {
        sample.image = EncodedImage{bytes_of(group, part), join(where, '.', part.extension)};
      }
    }
    require(!sample.texts.empty(), where, ": has no text");
    check_sample(sample, where);
    return sample;
  }

  WebDatasetOptions options_;
  std::string name_;
  std::vector<std::unique_ptr<io::InputFile>> files_;
  std::vector<Parts> samples_;
  std::vector<std::int64_t> first_;
  LanguageCounts languages_;
  std::map<std::string, std::int64_t> ignored_;
};

static_assert(ShardedDataset<WebDataset>);

}  // namespace rc3::data
