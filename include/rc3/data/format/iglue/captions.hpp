#pragma once
/// Caption files whose lines are joined by image into one data set. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/data/format/find_image.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/data/sample.hpp"

namespace rc3::data::iglue {

/// Content of one line about an image.
struct CaptionLine {
  std::string id;           ///< of the image, the key for joining lines
  std::string image;        ///< name of the image for FindImage
  std::vector<Text> texts;  ///< their groups are ignored
};

/// One sample per image, in the order of the files; its texts also in that order, weakly aligned.
class Captions {
 public:
  /// A file of captions and how a line of it is read.
  struct Source {
    std::filesystem::path path;  ///< one JSON object a line
    /// Throws rc3::Error that names `where` for a line of another form.
    std::function<CaptionLine(const nlohmann::json&, const std::string& where)> parse;
    bool once = false;  ///< a second line of one image is a "duplicate id"
  };

  /// @param find    lookup of the images; empty: the samples have none
  /// @param errors  reports "malformed record" and "duplicate id", and "missing image" for a line whose image @p find
  ///                does not know
  /// @throws rc3::Error naming the file: unreadable, or without a valid record
  Captions(std::string name, std::vector<Source> sources, FindImage find, DataErrors& errors)
      : name_(std::move(name)), sources_(std::move(sources)), find_(std::move(find)) {
    require(!sources_.empty(), name_, ": no file was given");
    std::unordered_map<std::string, std::size_t> known;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      const auto id = [&](const CaptionLine& line) { return sources_[s].once ? line.id : ""; };
      const auto take = [&](std::int64_t line, const CaptionLine& record, std::string& kind) {
        kind = "missing image";
        image_of(record, files_[s].where(line));
        const auto [found, fresh] = known.emplace(record.id, images_.size());
        if (fresh) images_.push_back({record.id, {}});
        images_[found->second].places.push_back({s, line});
        for (const Text& text : record.texts) ++languages_[text.language];
      };
      files_.emplace_back(sources_[s].path);
      for_each_record(files_[s], errors, sources_[s].parse, id, take);
    }
    require(!images_.empty(), name_, ": ", sources_[0].path.string(), ": has no valid record\n", errors.report());
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(images_.size()); }
  const LanguageCounts& languages() const { return languages_; }

  /// @throws rc3::Error naming file, line and key if a file has changed since it was opened
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " samples, no sample ", i);
    const Image& image = images_[static_cast<std::size_t>(i)];
    Sample sample;
    sample.id = image.id;
    for (const auto& [s, line] : image.places) {
      const std::string where = files_[s].where(line);
      CaptionLine record = sources_[s].parse(parse_line(files_[s].read(line), where), where);
      require(record.id == image.id, where, ": was changed: is of the image ", record.id, ", no more of ", image.id);
      if (sample.texts.empty()) sample.image = image_of(record, where);
      for (Text& text : record.texts) {
        text.group = static_cast<std::int64_t>(sample.texts.size());
        sample.texts.push_back(std::move(text));
      }
    }
    return sample;
  }

 private:
  struct Place {
    std::size_t source;
    std::int64_t line;
  };
  struct Image {
    std::string id;
    std::vector<Place> places;
  };

  ImageSource image_of(const CaptionLine& record, const std::string& where) const {
    if (!find_) return {};
    auto path = find_(record.image);
    require(path.has_value(), where, ": there is no image for ", record.image);
    return *std::move(path);
  }

  std::string name_;
  std::vector<Source> sources_;
  FindImage find_;
  std::vector<AnnotationFile> files_;
  std::vector<Image> images_;
  LanguageCounts languages_;
};

static_assert(Dataset<Captions>);

}  // namespace rc3::data::iglue
