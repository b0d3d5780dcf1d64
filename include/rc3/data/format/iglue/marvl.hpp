#pragma once
/// MaRVL: truth of a sentence about two images. One JSON object per line with concept, language, caption, left_img,
/// right_img, label, chapter, id and annotator fields, which are dropped. LibTorch-free.

#include <filesystem>
#include <string>
#include <vector>

#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data::iglue {

/// A line of MaRVL: a statement about two images.
struct MarvlRecord {
  std::string id;            ///< "id-0", unique in its file
  std::string concept_name;  ///< the field "concept": "39-Panci"
  std::string language;      ///< "id"
  std::string caption;       ///< the statement
  std::string left_img;      ///< "39-Panci/39-n-5.jpg"
  std::string right_img;
  std::string chapter;  ///< "Basic actions and technology"
  bool label = false;   ///< whether the caption is true
};

/// @throws rc3::Error as read_records
inline std::vector<MarvlRecord> read_marvl(const std::filesystem::path& path, DataErrors& errors) {
  const auto parse = [](const nlohmann::json& json, const std::string& where) {
    MarvlRecord r;
    r.id = id_at(json, "id", where);
    r.concept_name = text_at(json, "concept", where);
    r.language = text_at(json, "language", where);
    r.caption = text_at(json, "caption", where);
    r.left_img = text_at(json, "left_img", where);
    r.right_img = text_at(json, "right_img", where);
    r.chapter = text_at(json, "chapter", where);
    r.label = io::get<bool>(json, "label", where);
    return r;
  };
  return read_records(path, errors, parse, [](const MarvlRecord& r) { return r.id; });
}

}  // namespace rc3::data::iglue
