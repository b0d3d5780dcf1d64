#pragma once
/// IGLUE's annotations, a JSON object a line (JSONL), as records. LibTorch-free.
/// Source: Bugliarello et al. 2022, github.com/e-bug/iglue (datasets/*/annotations).

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

/// The most bytes of one file of annotations: its records are kept in memory.
inline constexpr std::uint64_t max_file_bytes = std::uint64_t{1} << 30;

/// The text at @p key, which must say something. @throws rc3::Error "<where>: ..."
inline std::string text_at(const nlohmann::json& json, std::string_view key, std::string_view where) {
  auto text = io::get<std::string>(json, key, where);
  check_text(text, join(where, ": \"", key, '"'));
  return text;
}

/// A name that some files give as a text and others as a number. @throws rc3::Error "<where>: ..."
inline std::string id_at(const nlohmann::json& json, std::string_view key, std::string_view where) {
  const auto found = json.find(std::string(key));
  if (found != json.end() && found->is_number_integer()) return found->dump();
  return text_at(json, key, where);
}

/// A line's object. @throws rc3::Error "<where>: ..."
inline nlohmann::json parse_line(std::string_view line, std::string_view where) {
  auto json = io::parse_json(line, where, {.max_bytes = 1 << 20, .max_depth = 16});
  require(json.is_object(), where, ": a JSON object is expected, is ", json.type_name());
  return json;
}

/// Gives the records of @p file, but for empty lines and those that @p problems is told of: "malformed record" and
/// "duplicate id" (the first stays).
/// @param parse  (json, where) -> record; throws rc3::Error for a bad one
/// @param id     (record) -> std::string, unique in the file; empty where it need not be
/// @param take   (line, record, kind), called in the file's order; may throw rc3::Error too, with the kind set
/// @throws rc3::Error as DataErrors::add does
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

/// All of them. @throws rc3::Error also when the file cannot be read, has more than 1 GB, or holds no record
template <class Parse, class Id>
auto read_records(const std::filesystem::path& path, DataErrors& errors, Parse parse, Id id) {
  require(io::InputFile(path).size() <= max_file_bytes, path.string(), ": has more than the allowed ", max_file_bytes,
          " bytes");
  const AnnotationFile file(path);
  std::vector<decltype(parse(nlohmann::json(), std::string()))> records;
  for_each_record(file, errors, parse, id,
                  [&](std::int64_t, auto record, auto&) { records.push_back(std::move(record)); });
  require(!records.empty(), path.string(), ": holds no good record\n", errors.report());
  return records;
}

}  // namespace rc3::data::iglue
