#pragma once
/// Multi30K as published: one text file per language; lines with the same number describe one image. LibTorch-free.
/// Source: Elliott et al. 2016, github.com/multi30k/dataset (data/task1/raw, data/task2/raw; its files are
/// gzip-compressed, decompress them first).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/data/format/image_path.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data {

/// Location of the lines' images. Without it only the texts are read.
struct Multi30kImages {
  std::filesystem::path list;    ///< one image name per line, as in image_splits/; "a.jpg#367178" is the file a.jpg
  std::filesystem::path folder;  ///< with the files
};

/// Sample i is a line number with valid lines in all languages. Its id is the list's line, else the line number.
class Multi30k {
 public:
  /// Task 1, translations: `FOLDER/SPLIT.LANGUAGE`, strictly aligned.
  /// @param split      "train", "val", "test_2016_flickr"; "train.lc.norm.tok" for the tokenized files
  /// @param languages  of "en", "de", "fr", "cs"
  /// @param errors     receives "unreadable line", "not UTF-8", "empty text", "bad image name" and "duplicate id" (the
  ///                   first stays); such lines are dropped
  /// @throws rc3::Error naming the file: unreadable, with a different number of lines, or no valid line
  static Multi30k task1(const std::filesystem::path& folder, const std::string& split,
                        const std::vector<std::string>& languages, DataErrors& errors,
                        const std::optional<Multi30kImages>& images = {}) {
    std::vector<Column> columns;
    for (const std::string& language : languages)
      columns.push_back({language, 0, AnnotationFile(folder / join(split, '.', language))});
    return Multi30k(join("Multi30K task 1 ", split), std::move(columns), errors, images);
  }

  /// Task 2, five independent descriptions per language: `FOLDER/SPLIT.N.LANGUAGE` with N from 1 to 5, weakly aligned.
  /// Otherwise as task1().
  static Multi30k task2(const std::filesystem::path& folder, const std::string& split,
                        const std::vector<std::string>& languages, DataErrors& errors,
                        const std::optional<Multi30kImages>& images = {}) {
    std::vector<Column> columns;
    for (const std::string& language : languages)
      for (int k = 1; k <= 5; ++k)
        columns.push_back({language, static_cast<std::int64_t>(columns.size()),
                           AnnotationFile(folder / join(split, '.', k, '.', language))});
    return Multi30k(join("Multi30K task 2 ", split), std::move(columns), errors, images);
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(good_.size()); }
  const LanguageCounts& languages() const { return languages_; }

  /// @throws rc3::Error naming file, line and reason if a file has changed since it was opened
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " samples, no sample ", i);
    const std::int64_t line = good_[static_cast<std::size_t>(i)];
    Sample sample;
    sample.id = join(line + 1);
    if (list_) {
      sample.id = list_->read(line);
      sample.image = image_of(line, sample.id);
    }
    for (const Column& column : columns_) {
      sample.texts.push_back({column.language, column.file.read(line), column.group});
      check_text(sample.texts.back().text, column.file.where(line));
    }
    return sample;
  }

 private:
  struct Column {
    std::string language;
    std::int64_t group;
    AnnotationFile file;
  };

  Multi30k(std::string name, std::vector<Column> columns, DataErrors& errors,
           const std::optional<Multi30kImages>& images)
      : name_(std::move(name)), columns_(std::move(columns)) {
    require(!columns_.empty(), name_, ": no language was asked for");
    if (images) {
      folder_ = images->folder;
      list_.emplace(images->list);
      check_count(*list_);
    }
    for (const Column& column : columns_) check_count(column.file);
    std::unordered_set<std::string> ids;
    for (std::int64_t line = 0; line < columns_[0].file.size(); ++line) {
      if (attempt(errors, [&](std::string& kind) { look_at(line, ids, kind); })) good_.push_back(line);
    }
    require(!good_.empty(), name_, ": ", columns_[0].file.path().string(), ": has no valid line\n", errors.report());
    for (const Column& column : columns_) languages_[column.language] += size();
  }

  void check_count(const AnnotationFile& file) const {
    const AnnotationFile& first = columns_[0].file;
    require(file.size() == first.size(), name_, ": ", first.path().string(), " has ", first.size(), " lines, ",
            file.path().string(), " has ", file.size(), "; lines of one number must belong together");
  }

  std::filesystem::path image_of(std::int64_t line, const std::string& name) const {
    return image_path(folder_, std::string_view(name).substr(0, name.find('#')), list_->where(line));
  }

  void look_at(std::int64_t line, std::unordered_set<std::string>& ids, std::string& kind) const {
    for (const Column& column : columns_) {
      kind = "unreadable line";
      const std::string where = column.file.where(line);
      const std::string text = column.file.read(line);
      kind = "not UTF-8";
      require_utf8(text, where);
      kind = "empty text";
      check_text(text, where);
    }
    if (!list_) return;
    kind = "bad image name";
    const std::string id = list_->read(line);
    require_utf8(id, list_->where(line));
    image_of(line, id);
    kind = "duplicate id";
    require(ids.insert(id).second, list_->where(line), ": the image \"", id, "\" was there before");
  }

  std::string name_;
  std::vector<Column> columns_;
  std::optional<AnnotationFile> list_;
  std::filesystem::path folder_;
  std::vector<std::int64_t> good_;  ///< line numbers, from 0
  LanguageCounts languages_;
};

static_assert(Dataset<Multi30k>);

}  // namespace rc3::data
