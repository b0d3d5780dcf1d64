#pragma once
/// Data sets by format name. Shards need libarchive and RC3_HAS_ARCHIVE, defined in all files of a program or none;
/// without them opening shards is an error. Images of folders are those of io::AvailableDecoders. LibTorch-free.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/any_dataset.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/find_image.hpp"
#include "rc3/data/format/iglue/wit.hpp"
#include "rc3/data/format/iglue/xflickrco.hpp"
#include "rc3/data/format/image_folder.hpp"
#include "rc3/data/format/manifest.hpp"
#include "rc3/data/format/multi30k.hpp"
#include "rc3/data/format/region_files.hpp"
#include "rc3/data/format/volta.hpp"
#include "rc3/data/format/wit.hpp"
#include "rc3/io/image/available_decoders.hpp"
#ifdef RC3_HAS_ARCHIVE
#include "rc3/data/format/webdataset.hpp"
#endif

namespace rc3::data {

/// A data set in files. Each Format names the options that it uses; the others must be unset.
struct OpenOptions {
  std::vector<std::filesystem::path> paths = {};  ///< files, or a folder
  std::string format = "auto";                    ///< a registered format's name; "auto": told from the first path
  std::filesystem::path images = {};              ///< folder of the images
  std::filesystem::path image_list = {};          ///< one line per image: its name (URL), a tab, the file's name
  std::vector<std::string> languages = {};        ///< of the texts; xflickrco: one a file
  std::string split = {};                         ///< empty: default_split
  std::int64_t size = 0;                          ///< for generated formats: number of samples; 0: the format's default
  std::vector<std::string> image_members = {};    ///< as WebDatasetOptions::image_members
  std::vector<std::string> text_members = {};     ///< as WebDatasetOptions::text_members
  std::string caption_key = {};                   ///< as WebDatasetOptions::caption_key
  bool keys_per_shard = false;                    ///< as WebDatasetOptions::keys_per_shard

  std::string default_split = "train";  ///< split to open if `split` is empty; not an option itself

  const std::string& split_or_default() const { return split.empty() ? default_split : split; }
};

/// Names of the options, for configurations.
template <class V>
void visit_fields(OpenOptions& o, V&& v) {
  v("paths", o.paths, "files of the data set, or their folder");
  v("format", o.format,
    "auto, or a format: manifest, shards, multi30k-1, multi30k-2, wit, xflickrco, iglue-wit, volta, regions, "
    "image-folder, or one that the program adds");
  v("images", o.images, "folder with the images");
  v("image_list", o.image_list, "file with a line for each image: name or URL, tab, file name");
  v("languages", o.languages, "languages; for xflickrco one a file; for shards that of the .txt members");
  v("split", o.split, "part of a data set with parts: train, val, ...; empty: train, or val for validation");
  v("size", o.size, "number of generated samples, for formats that generate; 0: their default");
  v("image_members", o.image_members,
    "shards: endings of image members, such as input.jpg; none given: jpg, png, webp");
  v("text_members", o.text_members, "shards: endings of text members, such as outputs.txt; none given: txt");
  v("caption_key", o.caption_key, "shards: key of the caption in a .json that is no record of rc3");
  v("keys_per_shard", o.keys_per_shard, "shards: whether keys start again in each shard");
}

/// A named format.
struct Format {
  std::string name;  ///< value of OpenOptions::format; not "auto"
  /// Of "images", "image_list", "languages", "split", "size", and of shards' options.
  std::vector<std::string> uses = {};
  bool many = false;  ///< whether it reads several paths as one data set
  /// Called with options that are checked: the unused ones are unset.
  std::function<AnyDataset(const OpenOptions&, DataErrors&)> open = {};
};

namespace detail {

/// Images of a format with an image list; empty: its samples have none.
inline FindImage find_listed(const OpenOptions& o) {
  return o.image_list.empty() ? FindImage() : listed_images(o.image_list, o.images);
}

inline AnyDataset open_xflickrco(const OpenOptions& o, DataErrors& errors) {
  require(o.languages.size() == o.paths.size(), "xflickrco: give languages, one for each of the ", o.paths.size(),
          " files");
  std::vector<iglue::LanguageFile> files;
  for (std::size_t i = 0; i < o.paths.size(); ++i) files.push_back({o.languages[i], o.paths[i]});
  return AnyDataset(iglue::xflickrco(files, o.images, errors));
}

inline AnyDataset open_multi30k(const OpenOptions& o, DataErrors& errors, const std::string& name) {
  require(!o.languages.empty(), name, ": give languages, for example en,de,fr,cs");
  std::optional<Multi30kImages> images;
  if (!o.image_list.empty()) images = {o.image_list, o.images};
  const auto make = name == "multi30k-1" ? Multi30k::task1 : Multi30k::task2;
  return AnyDataset(make(o.paths[0], o.split_or_default(), o.languages, errors, images));
}

inline AnyDataset open_shards([[maybe_unused]] const OpenOptions& o, [[maybe_unused]] DataErrors& errors) {
#ifdef RC3_HAS_ARCHIVE
  const bool folder = o.paths.size() == 1 && std::filesystem::is_directory(o.paths[0]);
  WebDatasetOptions options;
  options.image_members = o.image_members;
  options.text_members = o.text_members;
  options.caption_key = o.caption_key;
  options.keys_per_shard = o.keys_per_shard;
  if (!o.languages.empty()) {
    require(o.languages.size() == 1, "shards: give one language, that of the members .txt");
    options.language = o.languages[0];
  }
  WebDataset data(folder ? shards_of(o.paths[0]) : o.paths, errors, options);
  require(o.languages.empty() || data.languages().contains(o.languages[0]), data.name(),
          ": has no member <key>.txt for the option languages: leave it out");
  return AnyDataset(std::move(data));
#else
  fail("shards need libarchive, which this program was built without (Debian: libarchive-dev)");
#endif
}

inline std::vector<Format>& formats() {
  using Options = const OpenOptions&;
  static std::vector<Format> all = {
      {"manifest",
       {"images"},
       false,
       [](Options o, DataErrors& errors) {
         ManifestOptions options;
         options.folder = o.images;
         return AnyDataset(Manifest(o.paths[0], errors, options));
       }},
      {"shards", {"languages", "image_members", "text_members", "caption_key", "keys_per_shard"}, true, open_shards},
      {"multi30k-1",
       {"images", "image_list", "languages", "split"},
       false,
       [](Options o, DataErrors& errors) { return open_multi30k(o, errors, "multi30k-1"); }},
      {"multi30k-2",
       {"images", "image_list", "languages", "split"},
       false,
       [](Options o, DataErrors& errors) { return open_multi30k(o, errors, "multi30k-2"); }},
      {"wit",
       {"images", "image_list"},
       true,
       [](Options o, DataErrors& errors) { return AnyDataset(Wit(o.paths, find_listed(o), errors)); }},
      {"xflickrco", {"images", "languages"}, true, open_xflickrco},
      {"iglue-wit",
       {"images", "image_list"},
       true,
       [](Options o, DataErrors& errors) { return AnyDataset(iglue::wit(o.paths, find_listed(o), errors)); }},
      {"volta", {}, false, [](Options o, DataErrors& errors) { return AnyDataset(VoltaRegions(o.paths[0], errors)); }},
      {"regions", {}, true, [](Options o, DataErrors& errors) { return AnyDataset(RegionFiles(o.paths, errors)); }},
      {"image-folder", {}, true, [](Options o, DataErrors& errors) {
         return AnyDataset(ImageFolder::open<io::AvailableDecoders>(o.paths, errors));
       }}};
  return all;
}

inline const char* format_of_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  bool regions = false;
  for (const auto& file : std::filesystem::directory_iterator(folder, failed)) {
    if (file.path().extension() == ".tar") return "shards";
    regions = regions || file.path().extension() == ".safetensors";
  }
  require(!failed, folder.string(), ": cannot be read: ", failed.message());
  return regions ? "regions" : "image-folder";
}

/// @throws rc3::Error naming an option that is set but unused by @p format
inline void check_used(const OpenOptions& o, const Format& format) {
  const auto check = [&](const char* option, bool given) {
    require(!given || std::find(format.uses.begin(), format.uses.end(), option) != format.uses.end(), "the format ",
            format.name, " has no use for the option ", option, ": leave it out");
  };
  check("images", !o.images.empty());
  check("image_list", !o.image_list.empty());
  check("languages", !o.languages.empty());
  check("split", !o.split.empty());
  check("size", o.size != 0);
  check("image_members", !o.image_members.empty());
  check("text_members", !o.text_members.empty());
  check("caption_key", !o.caption_key.empty());
  check("keys_per_shard", o.keys_per_shard);
  require(o.size >= 0, "size must be at least 0, is ", o.size);
  require(format.many || o.paths.size() == 1, "the format ", format.name, " reads one path, ", o.paths.size(),
          " are given: ", o.paths[0].string(), ", ", o.paths.back().string());
  const bool lists = std::find(format.uses.begin(), format.uses.end(), "image_list") != format.uses.end();
  if (lists)
    require(o.images.empty() == o.image_list.empty(), "the format ", format.name, " finds the images in the folder ",
            "images by the list image_list: give both, or neither; ", o.images.empty() ? "images" : "image_list",
            " is missing");
}

}  // namespace detail

/// Registers a format. Not thread-safe with the opening of data sets.
/// @throws rc3::Error for a name in use
inline void register_format(Format format) {
  auto& all = detail::formats();
  for (const Format& other : all)
    require(other.name != format.name && format.name != "auto", "data::register_format: there is a format ",
            format.name, " already");
  all.push_back(std::move(format));
}

/// "auto", then all formats in the order of their registration.
inline std::vector<std::string> format_names() {
  std::vector<std::string> names{"auto"};
  for (const Format& format : detail::formats()) names.push_back(format.name);
  return names;
}

/// The format of @p o. "auto": a .jsonl is a manifest, a .tar is shards; a folder has the format of the files in it,
/// which are shards, else .safetensors with regions, else images.
/// @throws rc3::Error for an unknown name, listing the known ones, or a path without a recognised format
inline const Format& format_of(const OpenOptions& o) {
  require(!o.paths.empty(), "no data set is given");
  std::string name = o.format;
  if (name == "auto") {
    const auto& path = o.paths[0];
    if (path.extension() == ".jsonl") name = "manifest";
    if (path.extension() == ".tar") name = "shards";
    if (std::filesystem::is_directory(path)) name = detail::format_of_folder(path);
    require(name != "auto" || std::filesystem::exists(path), path.string(), ": there is no such file or folder");
  }
  std::string known;
  for (const Format& format : detail::formats()) {
    if (format.name == name) return format;
    known += (known.empty() ? "" : ", ") + format.name;
  }
  if (name == "auto") fail(o.paths[0].string(), ": its name does not tell its format; give the format: ", known);
  fail("there is no format ", name, "; give one of auto, ", known);
}

/// Opens a data set of any format.
/// @param errors  receives the errors of the format's class
/// @throws rc3::Error as that class; for an unknown format; for an option that the format does not use; if there is no
///         sample
inline AnyDataset open(const OpenOptions& o, DataErrors& errors) {
  const Format& format = format_of(o);
  detail::check_used(o, format);
  AnyDataset data = format.open(o, errors);
  require(data.size() > 0, data.name(), ": has no sample\n", errors.report());
  return data;
}

}  // namespace rc3::data
