#pragma once
/// xFlickr&CO: captions of Flickr30K's and COCO's images, written independently in eight languages. One file per
/// language, one JSON object per line with sentences, id (a text or a number) and img_path. IGLUE's flickr30k files
/// have the same format. LibTorch-free.

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/iglue/captions.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/data/format/image_path.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data::iglue {

/// A line of xFlickr&CO: an image and its captions in the language of the file.
struct XflickrcoRecord {
  std::vector<std::string> sentences;  ///< at least one
  std::string id;
  std::string img_path;  ///< "1007129816.jpg", unique in its file
};

namespace detail {

inline XflickrcoRecord parse_xflickrco(const nlohmann::json& json, const std::string& where) {
  XflickrcoRecord r;
  r.sentences = io::get<std::vector<std::string>>(json, "sentences", where);
  require(!r.sentences.empty(), where, ": \"sentences\" is empty");
  for (const std::string& sentence : r.sentences) check_text(sentence, join(where, ": \"sentences\""));
  r.id = id_at(json, "id", where);
  r.img_path = text_at(json, "img_path", where);
  return r;
}

}  // namespace detail

/// @throws rc3::Error as read_records
inline std::vector<XflickrcoRecord> read_xflickrco(const std::filesystem::path& path, DataErrors& errors) {
  return read_records(path, errors, detail::parse_xflickrco, [](const XflickrcoRecord& r) { return r.img_path; });
}

/// A language and its file.
struct LanguageFile {
  std::string language;  ///< of the texts in the file, which does not name it
  std::filesystem::path path;
};

/// Files of several languages as one data set, joined by img_path; every caption was written independently.
/// @param folder  of the images; empty: the samples have none
/// @throws rc3::Error as Captions
inline Captions xflickrco(const std::vector<LanguageFile>& files, const std::filesystem::path& folder,
                          DataErrors& errors) {
  std::vector<Captions::Source> sources;
  for (const LanguageFile& file : files) {
    require(!file.language.empty(), "xFlickr&CO: ", file.path.string(), ": needs a language");
    const auto parse = [language = file.language](const nlohmann::json& json, const std::string& where) {
      XflickrcoRecord record = detail::parse_xflickrco(json, where);
      CaptionLine line{record.img_path, record.img_path, {}};
      for (std::string& sentence : record.sentences) line.texts.push_back({language, std::move(sentence), 0});
      return line;
    };
    sources.push_back({file.path, parse, true});
  }
  const auto find = [folder](const std::string& name) { return image_path(folder, name, "xFlickr&CO"); };
  return Captions("xFlickr&CO", std::move(sources), folder.empty() ? FindImage() : find, errors);
}

}  // namespace rc3::data::iglue
