#pragma once
/// NLVR2, the English counterpart of MaRVL. One JSON object per line with identifier, sentence and label, a text "True"
/// or "False"; fields on writers, searches and addresses are dropped. LibTorch-free.
/// Source: Suhr et al. 2019, github.com/lil-lab/nlvr; IGLUE has it in datasets/nlvr2/annotations.

#include <filesystem>
#include <string>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"

namespace rc3::data::iglue {

/// A line of NLVR2: a statement about two images.
struct Nlvr2Record {
  std::string id;        ///< the field "identifier": "dev-850-0-0", unique in its file
  std::string sentence;  ///< the statement, in English
  std::string left_img;  ///< "dev-850-0-img0": the id without its last number, and the side
  std::string right_img;
  bool label = false;  ///< whether the sentence is true
};

/// @throws rc3::Error as read_records
inline std::vector<Nlvr2Record> read_nlvr2(const std::filesystem::path& path, DataErrors& errors) {
  const auto parse = [](const nlohmann::json& json, const std::string& where) {
    Nlvr2Record r;
    r.id = text_at(json, "identifier", where);
    r.sentence = text_at(json, "sentence", where);
    const auto label = text_at(json, "label", where);
    require(label == "True" || label == "False", where, ": \"label\" must be True or False, is ", label);
    r.label = label == "True";
    const auto last = r.id.rfind('-');
    require(last != std::string::npos && last > 0, where, ": \"identifier\" must end in - and a number, is ", r.id);
    r.left_img = r.id.substr(0, last) + "-img0";
    r.right_img = r.id.substr(0, last) + "-img1";
    return r;
  };
  return read_records(path, errors, parse, [](const Nlvr2Record& r) { return r.id; });
}

}  // namespace rc3::data::iglue
