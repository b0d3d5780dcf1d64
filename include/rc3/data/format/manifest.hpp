#pragma once
/// Manifest: a data set as a file of records (record.hpp), one JSON object per line (JSONL). LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/record.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/lines.hpp"

namespace rc3::data {

/// How a Manifest is read.
struct ManifestOptions {
  std::filesystem::path folder;        ///< base of relative paths of images and features; empty: the manifest's folder
  std::vector<std::string> languages;  ///< a sample without a text in each of these is dropped
  io::LinesOptions lines{.max_line = 1 << 20};  ///< longest line: 1 MiB
  std::uint64_t max_features_bytes = 64 << 20;  ///< of one file of regions
};

/// The constructor parses and checks every record; images and features are opened only when read. Empty lines are
/// skipped.
class Manifest {
 public:
  /// @param errors  receives "malformed record", "duplicate id" (the first stays), "empty text", "missing language" and
  ///                "absurd box"; such records are dropped
  /// @throws rc3::Error for a file that is unreadable or without a valid record, and over the error budget
  Manifest(const std::filesystem::path& path, DataErrors& errors, ManifestOptions options = {})
      : options_(std::move(options)), lines_(path, options_.lines), name_(path.string()) {
    if (options_.folder.empty()) options_.folder = path.parent_path();
    std::unordered_set<std::string> ids;
    for (std::int64_t line = 0; line < lines_.size(); ++line) {
      if (const std::string begin = lines_.read_begin(line, 2); begin == "\n" || begin == "\r\n") continue;
      errors.add_samples();
      if (const auto problem = look_at(line, ids))
        errors.add(problem->first, problem->second);
      else
        good_.push_back(line);
    }
    require(!good_.empty(), name_, ": has no valid record\n", errors.report());
  }

  /// The same with the default error budget. Dropped records are in errors().
  explicit Manifest(const std::filesystem::path& path, ManifestOptions options = {})
      : Manifest(path, std::make_shared<DataErrors>(), std::move(options)) {}

  /// Dropped records, of a manifest that was opened without DataErrors; null otherwise.
  const DataErrors* errors() const { return errors_.get(); }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(good_.size()); }
  const LanguageCounts& languages() const { return languages_; }

  /// Sample @p i of 0 .. size() - 1. @throws rc3::Error if its record has changed or its features are damaged
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " samples, no sample ", i);
    const std::int64_t line = good_[static_cast<std::size_t>(i)];
    Record record = parse(line);
    check_sample(record.sample, lines_.where(line));
    if (!record.features.empty()) try {
        const std::string bytes = io::read_file(record.features, options_.max_features_bytes);
        Regions& regions = record.sample.regions;
        regions = read_regions(bytes, record.features.string(), std::move(regions));
      } catch (const Error& error) {
        fail(lines_.where(line), ": \"features\": ", error.what());
      }
    return std::move(record.sample);
  }

 private:
  Manifest(const std::filesystem::path& path, const std::shared_ptr<DataErrors>& errors, ManifestOptions options)
      : Manifest(path, *errors, std::move(options)) {
    errors_ = errors;
  }

  Record parse(std::int64_t line) const {
    const std::string where = lines_.where(line);
    return read_record(io::parse_json(lines_.read(line), where, {.max_bytes = options_.lines.max_line, .max_depth = 8}),
                       where, options_.folder);
  }

  // Error of a line: its kind and message.
  std::optional<std::pair<std::string, std::string>> look_at(std::int64_t line, std::unordered_set<std::string>& ids) {
    const std::string where = lines_.where(line);
    std::string kind = "malformed record";
    try {
      const Sample sample = parse(line).sample;
      require(!sample.id.empty(), where, ": a record needs an \"id\" or a \"image\"");
      kind = "empty text";
      for (const Text& text : sample.texts) check_text(text.text, join(where, ": ", text.language));
      kind = "missing language";
      const TextPlaces places(sample.texts);
      for (const std::string& language : options_.languages)
        require(places.count(language) > 0, where, ": has no text in \"", language, '"');
      kind = "absurd box";
      check_regions(sample.regions, where);
      kind = "malformed record";
      check_sample(sample, where);
      kind = "duplicate id";
      require(ids.insert(sample.id).second, where, ": the id \"", sample.id, "\" was there before");
      for (const Text& text : sample.texts) ++languages_[text.language];
      return std::nullopt;
    } catch (const Error& error) {
      return std::pair(kind, std::string(error.what()));
    }
  }

  ManifestOptions options_;
  io::Lines lines_;
  std::string name_;
  std::vector<std::int64_t> good_;  ///< lines
  LanguageCounts languages_;
  std::shared_ptr<DataErrors> errors_;
};

static_assert(Dataset<Manifest>);

/// Writes @p data as a manifest to @p path, and regions with features to files in the folder `<path>.regions`. Images
/// stay in place.
/// @throws rc3::Error if a record cannot represent a sample (see to_json()), such as an image in memory,
///         or with a line that is too long to read
template <Dataset D>
void write_manifest(const D& data, const std::filesystem::path& path) {
  const std::filesystem::path regions = path.string() + ".regions";
  io::OutputFile out(path);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Sample sample = data.read(i);
    check_sample(sample, join(data.name(), ", sample ", i));
    std::filesystem::path features;
    if (!sample.regions.features.empty() || !sample.regions.classes.empty()) {
      features = regions / join(i, ".safetensors");
      io::make_folder(regions);
      io::write_file(features, write_regions(sample.regions));
    }
    const std::string line = to_json(sample, path.parent_path(), features).dump() + '\n';
    require(line.size() <= ManifestOptions().lines.max_line, data.name(), ": ", sample.id, ": its record has ",
            line.size(), " bytes, more than a line of a manifest may have; shorten its texts");
    out.write(line);
  }
  out.commit();
}

}  // namespace rc3::data
