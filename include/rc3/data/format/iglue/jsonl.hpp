#pragma once
/// IGLUE's annotations, one JSON object per line (JSONL), as records. LibTorch-free. Source: Bugliarello et al. 2022,
/// github.com/e-bug/iglue (datasets/*/annotations).

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/errors/attempt.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data::iglue {

/// Maximum bytes of an annotation file: its records are kept in memory.
inline constexpr std::uint64_t max_file_bytes = std::uint64_t{1} << 30;

/// The non-blank text at @p key. @throws rc3::Error "<where>: ..."
inline std::string text_at(const nlohmann::json& json, std::string_view key, std::string_view where) {
  auto text = io::get<std::string>(json, key, where);
  check_text(text, join(where, ": \"", key, '"'));
  return text;
}

/// A name that is a text in some files and a number in others. @throws rc3::Error "<where>: ..."
inline std::string id_at(const nlohmann::json& json, std::string_view key, std::string_view where) {
  const auto found = json.find(std::string(key));
  if (found != json.end() && found->is_number_integer()) return found->dump();
  return text_at(json, key, where);
}

/// JSON object of a line. @throws rc3::Error "<where>: ..."
inline nlohmann::json parse_line(std::string_view line, std::string_view where) {
  auto json = io::parse_json(line, where, {.max_bytes = 1 << 20, .max_depth = 16});
  require(json.is_object(), where, ": a JSON object is expected, is ", json.type_name());
  return json;
}

/// Passes on the records of @p file. Skips empty lines and reports to @p errors "malformed record" and "duplicate id"
/// (the first stays).
/// @param parse  (json, where) -> record; throws rc3::Error for an invalid one
/// @param id     (record) -> std::string, unique in the file; empty if not required
/// @param take   (line, record, kind), called in the file's order; may throw rc3::Error too, with the kind set
/// @throws rc3::Error as DataErrors::add
template <class Parse, class Id, class Take>
void for_each_record(const AnnotationFile& file, DataErrors& errors, Parse parse, Id id, Take take) {
  std::unordered_set<std::string> ids;
  for (std::int64_t line = 0; line < file.size(); ++line) {
    if (file.empty(line)) continue;
    attempt(errors, [&](std::string& kind) {
      const std::string where = file.where(line);
      auto record = parse(parse_line(file.read(line), where), where);
      kind = "duplicate id";
      const std::string name = id(record);
      require(name.empty() || ids.insert(name).second, where, ": the id \"", name, "\" was there before");
      take(line, std::move(record), kind);
    });
  }
}

/// All records. @throws rc3::Error also for a file that is unreadable, larger than 1 GB, or without a record
template <class Parse, class Id>
auto read_records(const std::filesystem::path& path, DataErrors& errors, Parse parse, Id id) {
  require(io::InputFile(path).size() <= max_file_bytes, path.string(), ": has more than the allowed ", max_file_bytes,
          " bytes");
  const AnnotationFile file(path);
  std::vector<decltype(parse(nlohmann::json(), std::string()))> records;
  for_each_record(file, errors, parse, id,
                  [&](std::int64_t, auto record, auto&) { records.push_back(std::move(record)); });
  require(!records.empty(), path.string(), ": has no valid record\n", errors.report());
  return records;
}

}  // namespace rc3::data::iglue
