#pragma once
/// WIT as published by Google: tab-separated rows of images from Wikipedia pages. LibTorch-free. Source: Srinivasan et
/// al. 2021, github.com/google-research-datasets/wit (wit_v1.*.tsv.gz; decompress them first).

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/blank.hpp"
#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/find_image.hpp"
#include "rc3/data/format/wit_file.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/text/text_id.hpp"

namespace rc3::data {

/// Which columns of WIT's files are texts.
struct WitOptions {
  /// Columns with a row's text, in order of preference: the first that is not blank is used.
  std::vector<std::string> captions = {"caption_reference_description", "caption_alt_text_description"};
};

/// One sample per image (its id is image_url), in the order of the files. The texts of its rows, also in that order,
/// are weakly aligned. The constructor reads the files once; 24 bytes per row and 16 per image stay in memory.
class Wit {
 public:
  /// @param files   parts of one split; columns are found by their names in each file's first line
  /// @param find    called with image_url; empty: the samples have no images
  /// @param errors  receives "malformed record", "missing language", "missing text" and "missing image"; such rows are
  ///                dropped. Half of WIT's rows have no reference description, so set a sufficient budget
  /// @throws rc3::Error naming the file: unreadable, compressed, without a column, or without a valid row
  Wit(const std::vector<std::filesystem::path>& files, FindImage find, DataErrors& errors, WitOptions options = {})
      : find_(std::move(find)) {
    require(!files.empty(), "WIT: no file was given");
    std::unordered_map<std::int64_t, std::uint32_t> known;
    for (const auto& path : files) {
      files_.emplace_back(path, options.captions);
      for (std::int64_t line = 1; line < files_.back().size();) index_row(line, known, errors);
    }
    require(!hashes_.empty(), files[0].string(), ": has no valid row\n", errors.report());
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.sample < b.sample; });
    for (std::size_t r = 0; r < rows_.size(); ++r)
      if (r == 0 || rows_[r].sample != rows_[r - 1].sample) first_rows_.push_back(r);
    first_rows_.push_back(rows_.size());
  }

  std::string_view name() const { return "WIT"; }
  std::int64_t size() const { return static_cast<std::int64_t>(hashes_.size()); }
  const LanguageCounts& languages() const { return languages_; }
  /// Rows with a mime_type other than JPEG, PNG or WebP, which are dropped but not errors.
  std::int64_t other_types() const { return other_types_; }

  /// @throws rc3::Error naming file, line and column if a file has changed since it was opened
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), "WIT: has ", size(), " samples, no sample ", i);
    const auto s = static_cast<std::size_t>(i);
    Sample sample;
    for (std::size_t r = first_rows_[s]; r < first_rows_[s + 1]; ++r) {
      const WitFile& file = files_[rows_[r].file];
      std::int64_t line = rows_[r].line;
      const std::string where = file.where(line);
      WitRow row = file.read(line);
      std::string kind;
      check_row(row, where, kind);
      require(text_id(row.image_url) == hashes_[s], where, ": was changed since it was opened");
      require(sample.id.empty() || sample.id == row.image_url, where, ": the hashes of ", sample.id, " and ",
              row.image_url, " are equal; leave one of the two out of the file");
      if (sample.id.empty() && find_) sample.image = image_of(row.image_url, where);
      sample.id = std::move(row.image_url);
      sample.texts.push_back(
          {std::move(row.language), std::move(row.caption), static_cast<std::int64_t>(sample.texts.size())});
    }
    return sample;
  }

 private:
  struct Row {
    std::int64_t line;
    std::uint32_t file;
    std::uint32_t sample;
  };

  void index_row(std::int64_t& line, std::unordered_map<std::int64_t, std::uint32_t>& known, DataErrors& errors) {
    const WitFile& file = files_.back();
    const std::int64_t begin = line++;
    if (file.empty(begin)) return;
    const std::string where = file.where(begin);
    attempt(errors, [&](std::string& kind) {
      std::int64_t end = begin;
      const WitRow row = file.read(end);
      line = end;
      if (!is_readable_type(row.mime_type)) {
        ++other_types_;
        errors.pass_over("rows of other types than JPEG, PNG and WebP", join(where, ": ", row.mime_type));
        return;
      }
      check_row(row, where, kind);
      kind = "missing image";
      if (find_) image_of(row.image_url, where);
      require(hashes_.size() < std::numeric_limits<std::uint32_t>::max(), where, ": too many images");
      const std::int64_t hash = text_id(row.image_url);
      const auto [found, fresh] = known.emplace(hash, static_cast<std::uint32_t>(hashes_.size()));
      if (fresh) hashes_.push_back(hash);
      rows_.push_back({begin, static_cast<std::uint32_t>(files_.size() - 1), found->second});
      ++languages_[row.language];
    });
  }

  static void check_row(const WitRow& row, const std::string& where, std::string& kind) {
    for (const std::string* field : {&row.language, &row.image_url, &row.caption}) require_utf8(*field, where);
    require(!is_blank(row.image_url), where, ": image_url is empty");
    kind = "missing language";
    require(!is_blank(row.language), where, ": language is empty");
    kind = "missing text";
    require(!is_blank(row.caption), where, ": every caption column that was asked for is empty");
  }

  std::filesystem::path image_of(const std::string& url, const std::string& where) const {
    auto path = find_(url);
    require(path.has_value(), where, ": there is no image for ", url);
    return *std::move(path);
  }

  static bool is_readable_type(std::string_view mime) {
    constexpr std::array<std::string_view, 3> types{"image/jpeg", "image/png", "image/webp"};
    return std::find(types.begin(), types.end(), mime) != types.end();
  }

  FindImage find_;
  std::vector<WitFile> files_;
  std::vector<Row> rows_;                ///< by sample
  std::vector<std::size_t> first_rows_;  ///< of each sample, and the number of rows
  std::vector<std::int64_t> hashes_;     ///< of each sample's URL
  LanguageCounts languages_;
  std::int64_t other_types_ = 0;
};

static_assert(Dataset<Wit>);

}  // namespace rc3::data
