#pragma once
/// Every data format that the library reads, behind one type: a program is compiled once for all of them. Shards need
/// RC3_HAS_ARCHIVE and libarchive. LibTorch-free.

#include "rc3/data/data.hpp"
#ifdef RC3_HAS_ARCHIVE
#include "rc3/data/format/webdataset.hpp"
#endif

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rc3::data {

/// A data set of any kind.
class AnyDataset {
 public:
  template <Dataset Source>
  explicit AnyDataset(Source source) {
    const auto held = std::make_shared<const Source>(std::move(source));
    name_ = std::string(held->name());
    size_ = held->size();
    languages_ = held->languages();
    read_ = [held](std::int64_t i) { return held->read(i); };
    if constexpr (ShardedDataset<Source>) {
      shards_ = held->shards();
      will_read_ = [held](std::int64_t first, std::int64_t count) { held->will_read(first, count); };
    }
  }
  const std::string& name() const { return name_; }
  std::int64_t size() const { return size_; }
  Sample read(std::int64_t i) const { return read_(i); }
  const LanguageCounts& languages() const { return languages_; }
  const std::vector<std::int64_t>& shards() const { return shards_; }
  void will_read(std::int64_t first, std::int64_t count) const {
    if (will_read_) will_read_(first, count);
  }

 private:
  std::string name_;
  std::int64_t size_ = 0;
  LanguageCounts languages_;
  std::function<Sample(std::int64_t)> read_;
  std::vector<std::int64_t> shards_ = {0};
  std::function<void(std::int64_t, std::int64_t)> will_read_;
};
static_assert(ShardedDataset<AnyDataset>);

/// What the command line says of a data set.
struct OpenOptions {
  std::vector<std::filesystem::path> paths;  ///< files, or a folder
  std::string format = "auto";
  std::filesystem::path images;      ///< folder with the images
  std::filesystem::path image_list;  ///< a line an image: its name (URL), a tab, the file's name
  std::vector<std::string> languages;
  std::string split = "train";
  std::int64_t size = 1000;  ///< emoji scenes to draw
};

using Opener = std::function<AnyDataset(const OpenOptions&, DataErrors&)>;
inline std::map<std::string, Opener>& registered_formats() {
  static std::map<std::string, Opener> all;
  return all;
}
inline void register_format(std::string name, Opener opener) {
  registered_formats()[std::move(name)] = std::move(opener);
}

/// "auto": a .jsonl is a manifest; a .tar, or a folder with some, is shards.
inline std::string format_of(const OpenOptions& o) {
  if (o.format != "auto") return o.format;
  const auto& path = o.paths[0];
  if (path.extension() == ".jsonl") return "manifest";
  if (path.extension() == ".tar" || std::filesystem::is_directory(path)) return "shards";
  fail(path.string(), ": cannot tell its format; give --format");
}

/// @throws rc3::Error as the data set's own constructor does
inline AnyDataset open(const OpenOptions& o, DataErrors& errors) {
  require(!o.paths.empty(), "no data set is given");
  const std::string format = format_of(o);
  FindImage find;
  if (!o.image_list.empty()) find = listed_images(o.image_list, o.images);
  if (format == "manifest") {
    ManifestOptions options;
    options.folder = o.images;
    return AnyDataset(Manifest(o.paths[0], errors, options));
  }
  if (const auto found = registered_formats().find(format); found != registered_formats().end())
    return found->second(o, errors);
  if (format == "wit") return AnyDataset(Wit(o.paths, find, errors));
  if (format == "iglue-wit") return AnyDataset(iglue::wit(o.paths, find, errors));
  if (format == "xflickrco") {
    require(o.languages.size() == o.paths.size(), "xflickrco: give --languages, one for each of the ", o.paths.size(),
            " files");
    std::vector<iglue::LanguageFile> files;
    for (std::size_t i = 0; i < o.paths.size(); ++i) files.push_back({o.languages[i], o.paths[i]});
    return AnyDataset(iglue::xflickrco(files, o.images, errors));
  }
  if (format == "multi30k-1" || format == "multi30k-2") {
    require(!o.languages.empty(), format, ": give --languages, for example en,de,fr,cs");
    std::optional<Multi30kImages> images;
    if (!o.image_list.empty()) images = {o.image_list, o.images};
    const auto make = format == "multi30k-1" ? Multi30k::task1 : Multi30k::task2;
    return AnyDataset(make(o.paths[0], o.split, o.languages, errors, images));
  }
#ifdef RC3_HAS_ARCHIVE
  const bool folder = std::filesystem::is_directory(o.paths[0]);
  return AnyDataset(WebDataset(folder ? shards_of(o.paths[0]) : o.paths, errors));
#else
  fail("shards need libarchive, which this program was built without (Debian: libarchive-dev)");
#endif
}

template <class V>
void visit_fields(OpenOptions& o, V&& v) {
  v("paths", o.paths, "files of the data set, or their folder");
  v("format", o.format, "auto, manifest, shards, multi30k-1, multi30k-2, wit, xflickrco, iglue-wit, emoji");
  v("images", o.images, "folder with the images");
  v("image_list", o.image_list, "a line an image: its name or URL, a tab, the file's name");
  v("languages", o.languages, "languages; for xflickrco one a file");
  v("split", o.split, "part of Multi30K (train, val, ...), or of the emoji (train, fit: train without val, val, test)");
  v("size", o.size, "emoji scenes to draw");
}

}  // namespace rc3::data
