#pragma once
/// XVNLI: entailment of a sentence by an image. One JSON object per line with gold_label, sentence1, sentence2,
/// captionID, pairID and Flikr30kID (sic). LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"

namespace rc3::data::iglue {

/// Classes in VOLTA's order.
enum class Entailment { contradiction, neutral, entailment };

/// A line of XVNLI: a hypothesis about an image, and its label.
struct XvnliRecord {
  Entailment label = Entailment::neutral;
  std::string sentence1;   ///< the premise, a caption of the image
  std::string sentence2;   ///< the hypothesis
  std::string caption_id;  ///< "2487069642.jpg#1"
  std::string pair_id;     ///< unique in its file
  std::string image_id;    ///< of Flickr30K, without an extension
};

/// @param undecided  receives the number of records dropped for annotators' disagreement (gold_label "-"), which is not
///                   an error
/// @throws rc3::Error as read_records
inline std::vector<XvnliRecord> read_xvnli(const std::filesystem::path& path, DataErrors& errors,
                                           std::int64_t* undecided = nullptr) {
  struct Line {
    bool decided = false;
    XvnliRecord record;
  };
  const auto parse = [](const nlohmann::json& json, const std::string& where) {
    Line line;
    XvnliRecord& r = line.record;
    const auto label = text_at(json, "gold_label", where);
    line.decided = label != "-";
    if (label == "contradiction")
      r.label = Entailment::contradiction;
    else if (label == "neutral")
      r.label = Entailment::neutral;
    else if (label == "entailment")
      r.label = Entailment::entailment;
    else
      require(!line.decided, where, ": \"gold_label\" must be entailment, neutral, contradiction or -, is ", label);
    r.sentence1 = text_at(json, "sentence1", where);
    r.sentence2 = text_at(json, "sentence2", where);
    r.caption_id = text_at(json, "captionID", where);
    r.pair_id = text_at(json, "pairID", where);
    const auto image = id_at(json, "Flikr30kID", where);
    r.image_id = image.substr(0, image.find('.'));
    return line;
  };
  std::vector<XvnliRecord> records;
  std::int64_t left_out = 0;
  for (Line& line : read_records(path, errors, parse, [](const Line& line) { return line.record.pair_id; })) {
    if (line.decided)
      records.push_back(std::move(line.record));
    else
      ++left_out;
  }
  if (undecided != nullptr) *undecided = left_out;
  return records;
}

}  // namespace rc3::data::iglue
