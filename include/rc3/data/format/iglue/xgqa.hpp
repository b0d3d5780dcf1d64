#pragma once
/// xGQA: questions about images in GQA's format. One JSON object maps question ids to objects with question, answer,
/// imageId, fullAnswer, types and more. LibTorch-free.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/iglue/jsonl.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"
#include "rc3/io/json_members.hpp"

namespace rc3::data::iglue {

/// A question of xGQA about an image.
struct XgqaRecord {
  std::string id;         ///< of the question
  std::string question;   ///< in the language of the file
  std::string answer;     ///< in English in every language; empty if the file withholds it
  std::string image_id;   ///< the field "imageId": "n406334"
  std::string structure;  ///< types.structural: "query", "verify", "choose", "logical", "compare"; empty: unknown
};

/// Only one question at a time is in memory as JSON: GQA's 943,000 need the file's size plus the records.
/// @throws rc3::Error for a file that is unreadable, larger than 1 GB, not a JSON object, or without a record
inline std::vector<XgqaRecord> read_xgqa(const std::filesystem::path& path, DataErrors& errors) {
  const std::string file = io::read_file(path, max_file_bytes);
  std::vector<XgqaRecord> records;
  std::unordered_set<std::string> ids;
  io::for_each_member(file, path.string(), [&](const std::string& id, std::string_view text) {
    const std::string where = join(path.string(), ": question ", id);
    attempt(errors, [&](std::string& kind) {
      const auto json = parse_line(text, where);
      XgqaRecord r;
      r.id = id;
      r.question = text_at(json, "question", where);
      r.answer = io::get_or<std::string>(json, "answer", where, "");
      r.image_id = id_at(json, "imageId", where);
      if (json.contains("types")) r.structure = io::get_or<std::string>(json["types"], "structural", where, "");
      kind = "duplicate id";
      require(ids.insert(id).second, where, ": was there before");
      records.push_back(std::move(r));
    });
  });
  require(!records.empty(), path.string(), ": has no valid record\n", errors.report());
  return records;
}

}  // namespace rc3::data::iglue
