#pragma once
/// Every data format that the library reads, behind one type: a program is compiled once for all of them. Shards need
/// RC3_HAS_ARCHIVE and libarchive. LibTorch-free.

#include "emoji/emoji.hpp"
#include "rc3/data/data.hpp"
#ifdef RC3_HAS_ARCHIVE
#include "rc3/data/format/webdataset.hpp"
#endif

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rc3::experiment {

/// A data set of any kind.
class AnyData {
 public:
  template <data::Dataset Source>
  explicit AnyData(Source source) {
    const auto held = std::make_shared<const Source>(std::move(source));
    name_ = std::string(held->name());
    size_ = held->size();
    languages_ = held->languages();
    read_ = [held](std::int64_t i) { return held->read(i); };
    if constexpr (data::ShardedDataset<Source>) {
      shards_ = held->shards();
      will_read_ = [held](std::int64_t first, std::int64_t count) { held->will_read(first, count); };
    }
  }
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  data::Sample read(std::int64_t i) const { return read_(i); }
  const data::LanguageCounts& languages() const { return languages_; }
  const std::vector<std::int64_t>& shards() const { return shards_; }
  void will_read(std::int64_t first, std::int64_t count) const {
    if (will_read_) will_read_(first, count);
  }

 private:
  std::string name_;
  std::int64_t size_ = 0;
  data::LanguageCounts languages_;
  std::function<data::Sample(std::int64_t)> read_;
  std::vector<std::int64_t> shards_ = {0};
  std::function<void(std::int64_t, std::int64_t)> will_read_;
};
static_assert(data::ShardedDataset<AnyData>);

/// What the command line says of a data set.
struct DataOptions {
  std::vector<std::filesystem::path> paths;  ///< files, or a folder
  std::string format = "auto";
  std::filesystem::path images;      ///< folder with the images
  std::filesystem::path image_list;  ///< a line an image: its name (URL), a tab, the file's name
  std::vector<std::string> languages;
  std::string split = "train";
  std::int64_t size = 1000;  ///< emoji scenes to draw
};

inline const std::vector<std::string> formats = {"auto", "manifest",  "shards",    "multi30k-1", "multi30k-2",
                                                 "wit",  "xflickrco", "iglue-wit", "emoji"};

inline AnyData open_emoji(const DataOptions& o) {
  auto glyphs = std::make_shared<emoji::Glyphs>(emoji::Glyphs::load(o.paths[0]));
  const auto split = emoji::Split::load(o.paths[0], *glyphs);
  const std::vector<std::string> six = {"cs", "de", "en", "fr", "ja", "zh"};
  const auto& languages = o.languages.empty() ? six : o.languages;
  require(o.split == "train" || o.split == "fit" || o.split == "val" || o.split == "test", "emoji: there is no split ",
          o.split, "; give train, fit (train without val), val or test");
  const auto side = o.split == "train" ? split.train
                    : o.split == "fit" ? split.fit()
                    : o.split == "val" ? split.validation
                                       : split.test;
  auto scenes = std::make_shared<emoji::Scenes>(*glyphs, side, languages, languages, o.size, emoji::Scenes::Options{});
  struct Held {  // scenes refer to their glyphs
    std::shared_ptr<emoji::Glyphs> glyphs;
    std::shared_ptr<emoji::Scenes> scenes;
    std::string name() const { return "emoji scenes"; }
    std::int64_t size() const { return scenes->size(); }
    data::Sample read(std::int64_t i) const { return scenes->read(i); }
    const data::LanguageCounts& languages() const { return scenes->languages(); }
  };
  return AnyData(Held{glyphs, scenes});
}

/// "auto": a .jsonl is a manifest; a .tar, or a folder with some, is shards.
inline std::string format_of(const DataOptions& o) {
  if (o.format != "auto") return o.format;
  const auto& path = o.paths[0];
  if (path.extension() == ".jsonl") return "manifest";
  if (path.extension() == ".tar" || std::filesystem::is_directory(path)) return "shards";
  fail(path.string(), ": cannot tell its format; give --format");
}

/// @throws rc3::Error as the data set's own constructor does
inline AnyData open_data(const DataOptions& o, data::DataErrors& errors) {
  require(!o.paths.empty(), "no data set is given");
  const std::string format = format_of(o);
  data::FindImage find;
  if (!o.image_list.empty()) find = data::listed_images(o.image_list, o.images);
  if (format == "manifest") {
    data::ManifestOptions options;
    options.folder = o.images;
    return AnyData(data::Manifest(o.paths[0], errors, options));
  }
  if (format == "emoji") return open_emoji(o);
  if (format == "wit") return AnyData(data::Wit(o.paths, find, errors));
  if (format == "iglue-wit") return AnyData(data::iglue::wit(o.paths, find, errors));
  if (format == "xflickrco") {
    require(o.languages.size() == o.paths.size(), "xflickrco: give --languages, one for each of the ", o.paths.size(),
            " files");
    std::vector<data::iglue::LanguageFile> files;
    for (std::size_t i = 0; i < o.paths.size(); ++i) files.push_back({o.languages[i], o.paths[i]});
    return AnyData(data::iglue::xflickrco(files, o.images, errors));
  }
  if (format == "multi30k-1" || format == "multi30k-2") {
    require(!o.languages.empty(), format, ": give --languages, for example en,de,fr,cs");
    std::optional<data::Multi30kImages> images;
    if (!o.image_list.empty()) images = {o.image_list, o.images};
    const auto make = format == "multi30k-1" ? data::Multi30k::task1 : data::Multi30k::task2;
    return AnyData(make(o.paths[0], o.split, o.languages, errors, images));
  }
#ifdef RC3_HAS_ARCHIVE
  const bool folder = std::filesystem::is_directory(o.paths[0]);
  return AnyData(data::WebDataset(folder ? data::shards_of(o.paths[0]) : o.paths, errors));
#else
  fail("shards need libarchive, which this program was built without (Debian: libarchive-dev)");
#endif
}

}  // namespace rc3::experiment
