#pragma once
/// WebDataset shards: plain tar files with adjacent members for each sample. LibTorch-free.
///
/// Needs libarchive (Debian: libarchive-dev): link rc3::archive in addition to rc3::light.

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
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
#include "rc3/data/format/member_names.hpp"
#include "rc3/data/format/record.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/data/format/shard_json.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/tar/table.hpp"

namespace rc3::data {

/// Which members of a shard are image, texts and regions.
struct WebDatasetOptions {
  std::string language = "und";  ///< of members "KEY.txt" and of captions
  /// Endings of the image's member, such as "input.jpg"; empty: jpg, jpeg, png and webp.
  std::vector<std::string> image_members = {};
  /// Endings of members with a text in `language`, such as "outputs.txt"; empty: txt, and `LANGUAGE.txt`.
  std::vector<std::string> text_members = {};
  /// Key of the caption in `KEY.json`, such as "caption". If it is set, the .json is no record, and members .txt are
  /// read only if `text_members` names them.
  std::string caption_key = {};
  /// Whether keys start again in each shard. Ids are then "<name of the shard>/<key>".
  bool keys_per_shard = false;
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
/// - `KEY.jpg`, `.jpeg`, `.png`, `.webp`: the image; required.
/// - `KEY.json`: a record (see record.hpp), without "image" and "features".
/// - `KEY.LANGUAGE.txt`: a text in that language, written independently of the others.
/// - `KEY.txt`: the same in WebDatasetOptions::language.
/// - `KEY.safetensors`: regions (see region_file.hpp).
///
/// At least one text is required. Endings are compared without case. WebDatasetOptions names other members. A .json
/// that is no record (is_record()), such as img2dataset's, is passed over, and so are members with other endings,
/// hidden files and files without an ending. All of these are counted in ignored() and DataErrors::passed_over().
/// Source: github.com/webdataset/webdataset
class WebDataset {
 public:
  /// Reads the headers of all @p shards. DataErrors: "damaged shard" (samples before the damage are kept), "refused
  /// member", "large member", "duplicate id" (a repeated key, in any shard), "missing member", "empty shard".
  /// @throws rc3::Error if no sample is left, with the endings that were found
  explicit WebDataset(const std::vector<std::filesystem::path>& shards, DataErrors& errors,
                      WebDatasetOptions options = {})
      : options_(std::move(options)) {
    require(!shards.empty(), "data::WebDataset: no shards");
    name_ = shards.size() == 1 ? shards[0].string() : join(shards[0].string(), " and ", shards.size() - 1, " more");
    lower(options_.image_members);
    lower(options_.text_members);
    Keys keys;
    for (const auto& path : shards) open(path, keys, errors);
    for (const auto& [ending, seen] : ignored_.all()) errors.pass_over(ending, seen.second, seen.first);
    require(!samples_.empty(), name_, ": has no sample", endings_.empty() ? "" : "; its members are ", endings_.list(),
            options_.image_members.empty() && !endings_.empty() ? "; name those of image and text (image_members, "
                                                                  "text_members), or a caption in a .json (caption_key)"
                                                                : "",
            "\n", errors.report());
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  const LanguageCounts& languages() const { return languages_; }
  /// First sample of each shard, ascending.
  const std::vector<std::int64_t>& shards() const { return first_; }
  /// What was passed over, by ending or kind.
  const Endings& ignored() const { return ignored_; }

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
  enum class Role : std::uint8_t { image, text, record, regions };
  struct Part {
    Role role;
    std::string ending;    ///< "jpg", "de.txt"
    std::string language;  ///< of a text
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

  static void lower(std::vector<std::string>& endings) {
    for (std::string& ending : endings) ending = member_name("x." + ending).ending;
  }

  /// What a member is for, by its ending; nothing: it is passed over.
  std::optional<Part> part_of(const MemberName& name) const {
    const auto among = [&](const std::vector<std::string>& all) {
      return std::find(all.begin(), all.end(), name.ending) != all.end();
    };
    const std::string& e = name.ending;
    if (among(options_.text_members)) return Part{Role::text, e, options_.language};
    const bool image = e == "jpg" || e == "jpeg" || e == "png" || e == "webp";
    if (options_.image_members.empty() ? image : among(options_.image_members)) return Part{Role::image, e, ""};
    if (e == "json") return Part{Role::record, e, ""};
    if (e == "safetensors") return Part{Role::regions, e, ""};
    if (!options_.text_members.empty() || !options_.caption_key.empty()) return std::nullopt;
    if (e == "txt") return Part{Role::text, e, options_.language};
    if (e.ends_with(".txt") && is_language_ending(name.prefix)) return Part{Role::text, e, name.prefix};
    return std::nullopt;
  }

  void open(const std::filesystem::path& path, Keys& keys, DataErrors& errors) {
    files_.push_back(std::make_unique<io::InputFile>(path));
    first_.push_back(size());
    const auto table = io::tar::read_table(*files_.back());
    for (const auto& refused : table.refused) errors.add("refused member", refused);
    Parts group;
    std::string others;  // endings of the group that are passed over
    const auto close = [&] {
      if (!group.key.empty()) take(std::move(group), others, keys, errors);
      group = {};
      others.clear();
    };
    for (const auto& member : table.members) {
      const std::string where = join(path.string(), ": ", member.name);
      const MemberName name = member_name(member.name);
      if (name.passed_over()) {  // also between the members of a sample
        ignored_.add("hidden or without an ending", where);
        continue;
      }
      endings_.add(name.ending, where);
      if (name.key != group.key) close();
      if (group.key.empty()) group = {files_.size() - 1, name.key, {}, member.offset, 0};
      group.end = member.offset + member.size;
      auto part = part_of(name);
      if (!part) {
        ignored_.add("." + name.ending, where);
        others += join(others.empty() ? "" : ", ", name.ending);
      } else if (member.size > options_.max_member) {
        errors.add("large member",
                   join(where, ": has ", member.size, " bytes, more than the allowed ", options_.max_member));
      } else {
        part->offset = member.offset;
        part->size = member.size;
        group.parts.push_back(*std::move(part));
      }
    }
    close();
    if (table.damage)
      errors.add("damaged shard", *table.damage);
    else if (table.members.empty())
      errors.add("empty shard", join(path.string(), ": has no member"));
  }

  void take(Parts group, const std::string& others, Keys& keys, DataErrors& errors) {
    const std::string where = where_of(group);
    errors.add_samples();
    auto& seen = keys.try_emplace(id_of(group), unseen).first->second;
    if (seen == whole || seen == group.shard) {  // it has a sample, or its members are not adjacent
      errors.add("duplicate id",
                 join(where, ": the key is used again",
                      seen == whole ? "; if keys start again in each shard, say so (keys_per_shard)" : ""));
      return;
    }
    seen = group.shard;
    const auto count = [&](Role role) {
      return std::count_if(group.parts.begin(), group.parts.end(), [&](const Part& p) { return p.role == role; });
    };
    const std::string rest = others.empty() ? "" : join("; passed over: ", others);
    if (const auto images = count(Role::image); images != 1) {
      errors.add(images == 0 ? "missing member" : "duplicate id", join(where, ": has ", images, " images", rest));
      return;
    }
    if (count(Role::record) > 1 || count(Role::regions) > 1) {
      errors.add("duplicate id", join(where, ": has two members of one ending"));
      return;
    }
    if (count(Role::record) + count(Role::text) == 0) {
      errors.add("missing member", join(where, ": has neither a text nor a record", rest));
      return;
    }
    samples_.push_back(std::move(group));
    try {
      bool foreign = false;
      const Sample sample = read(samples_.back(), /*with_image=*/false, &foreign);
      for (const Text& text : sample.texts) ++languages_[text.language];
      if (foreign) ignored_.add(".json that is no record", where + ".json");
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

  /// Key, which is the sample's id unless its record has another.
  std::string id_of(const Parts& group, const std::string& id = {}) const {
    const std::string& name = id.empty() ? group.key : id;
    return options_.keys_per_shard ? files_[group.shard]->path().stem().string() + '/' + name : name;
  }

  /// Sample of a member .json, without one if that is no record. @param keys  receives what it has instead
  std::optional<Sample> read_json(const std::string& bytes, const std::string& where, std::string& keys) const {
    const auto json = parse_shard_json(bytes, where);
    if (!options_.caption_key.empty()) {
      Sample sample;
      for (auto& text : captions_at(json, options_.caption_key, where))
        sample.texts.push_back({options_.language, std::move(text), std::ssize(sample.texts)});
      return sample;
    }
    if (!is_record(json)) {
      if (json.is_object())
        for (const auto& item : json.items()) keys += join(keys.empty() ? "" : ", ", item.key());
      return std::nullopt;
    }
    // A shard must not make the reader open other files.
    for (const char* key : {"image", "features"})
      require(!json.contains(key), where, ": \"", key, "\" names a file; in a shard it is a member of its own");
    return read_record(json, where).sample;
  }

  /// @param foreign  receives whether the sample has a .json that is no record
  Sample read(const Parts& group, bool with_image = true, bool* foreign = nullptr) const {
    const std::string where = where_of(group);
    Sample sample;
    std::string keys;
    for (const Part& part : group.parts) {
      if (part.role != Role::record) continue;
      auto record = read_json(bytes_of(group, part), where + ".json", keys);
      if (foreign) *foreign = !record;
      if (record) sample = *std::move(record);
    }
    sample.id = id_of(group, sample.id);
    std::int64_t group_number = 0;
    for (const Text& text : sample.texts) group_number = std::max(group_number, text.group + 1);
    for (const Part& part : group.parts) {
      if (part.role == Role::text) {
        sample.texts.push_back({part.language, bytes_of(group, part), group_number++});
      } else if (part.role == Role::regions) {
        sample.regions = read_regions(bytes_of(group, part), where + ".safetensors", sample.regions);
      } else if (part.role == Role::image && with_image) {
        sample.image = EncodedImage{bytes_of(group, part), join(where, '.', part.ending)};
      }
    }
    require(!sample.texts.empty(), where, ": has no text",
            keys.empty() ? "" : "; its .json is no record; name the caption's key (caption_key), one of ",
            keys.substr(0, 500));
    check_sample(sample, where);
    return sample;
  }

  WebDatasetOptions options_;
  std::string name_;
  std::vector<std::unique_ptr<io::InputFile>> files_;
  std::vector<Parts> samples_;
  std::vector<std::int64_t> first_;
  LanguageCounts languages_;
  Endings ignored_, endings_;  ///< passed over; all
};

static_assert(ShardedDataset<WebDataset>);

}  // namespace rc3::data
