#pragma once
/// Prediction files of tasks, in the formats of the evaluation scripts; files are written atomically. LibTorch-free.
///
/// - xGQA: `[{"questionId": "202158849", "prediction": "no"}, ...]`. VOLTA's eval_task.py writes it; its
/// scripts/GQA_score.py and GQA's eval.py read it.
/// - XVNLI: the same format, with pairID as the id and a class as the prediction. VOLTA writes none: its file is an
/// empty list, and the accuracy is in its log.
/// - MaRVL, NLVR2: `[{"sentence": "...", "prediction": 1, "label": 0}, ...]` in the examples' order; 1 is true. VOLTA's
/// eval_task.py writes it and computes the consistency from it.
/// - Translation: one hypothesis per line, and the examples' ids, one per line, in `<file>.ids`. sacreBLEU and multeval
/// read it.
///
/// Source: Bugliarello et al. 2021 and 2022, github.com/e-bug/volta (volta/task_utils.py, EvaluatingModel).

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/io/file.hpp"
#include "rc3/io/json.hpp"

namespace rc3::data {

/// The answer to one example.
struct Prediction {
  std::string id;      ///< Example::id
  std::string answer;  ///< a class, an answer, a translation

  friend bool operator==(const Prediction&, const Prediction&) = default;
};

/// Prediction for a sentence about two images.
struct Judgement {
  std::string sentence;     ///< about two images, UTF-8
  bool prediction = false;  ///< whether the model calls it true
  bool label = false;       ///< reference: whether it is true

  friend bool operator==(const Judgement&, const Judgement&) = default;
};

/// Maximum bytes of a prediction file.
inline constexpr std::uint64_t max_prediction_bytes = std::uint64_t{1} << 30;

namespace detail {

/// Check of ids: not empty, no line break, unique.
class PredictionIds {
 public:
  void add(const std::string& id, std::string_view where) {
    require_utf8(id, where);
    require(!id.empty() && id.find_first_of("\r\n") == std::string::npos, where, ": an id is expected, is \"", id, '"');
    require(ids_.insert(id).second, where, ": the id \"", id, "\" was there before");
  }

 private:
  std::unordered_set<std::string> ids_;
};

inline std::string item_of(const std::filesystem::path& path, std::size_t i) {
  return join(path.string(), ": item ", i);
}

/// A JSON list, one item per line.
template <class Item>
void write_json_list(const std::filesystem::path& path, std::size_t count, Item item) {
  io::OutputFile out(path);
  for (std::size_t i = 0; i < count; ++i) out.write((i == 0 ? "[" : ",\n") + item(i).dump());
  out.write(count == 0 ? "[]\n" : "]\n");
  out.commit();
}

/// @param take  called with each item and its location
template <class Take>
void read_json_list(const std::filesystem::path& path, Take take) {
  const auto json = io::read_json(path, {.max_bytes = max_prediction_bytes, .max_depth = 8});
  require(json.is_array(), path.string(), ": a JSON list of predictions is expected, is ", json.type_name());
  for (std::size_t i = 0; i < json.size(); ++i) take(json[i], item_of(path, i));
}

inline std::vector<std::string> split_lines(const std::filesystem::path& path) {
  const std::string text = io::read_file(path, max_prediction_bytes);
  require_utf8(text, path.string());
  require(text.empty() || text.back() == '\n', path.string(), ": the last line has no end: truncated?");
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace detail

/// Writes the file of xGQA and XVNLI.
/// @throws rc3::Error naming file, item and field: an empty or repeated id, or a text that is not UTF-8
inline void write_predictions(const std::filesystem::path& path, std::span<const Prediction> predictions) {
  detail::PredictionIds ids;
  detail::write_json_list(path, predictions.size(), [&](std::size_t i) {
    const auto& [id, answer] = predictions[i];
    const std::string where = detail::item_of(path, i);
    ids.add(id, where + ": \"questionId\"");
    require_utf8(answer, where + ": \"prediction\"");
    return nlohmann::ordered_json{{"questionId", id}, {"prediction", answer}};
  });
}

/// Reads the file of xGQA and XVNLI. Other keys are ignored: GQA's own files may have "attention".
/// @throws rc3::Error naming file, item and field: a key is missing or of another type, or an id is repeated
inline std::vector<Prediction> read_predictions(const std::filesystem::path& path) {
  detail::PredictionIds ids;
  std::vector<Prediction> all;
  detail::read_json_list(path, [&](const nlohmann::json& json, const std::string& where) {
    all.push_back({io::get<std::string>(json, "questionId", where), io::get<std::string>(json, "prediction", where)});
    ids.add(all.back().id, where + ": \"questionId\"");
  });
  return all;
}

/// Writes the file of MaRVL and NLVR2. @throws rc3::Error naming file and item: a sentence that is not UTF-8
inline void write_judgements(const std::filesystem::path& path, std::span<const Judgement> judgements) {
  detail::write_json_list(path, judgements.size(), [&](std::size_t i) {
    const Judgement& j = judgements[i];
    require_utf8(j.sentence, detail::item_of(path, i) + ": \"sentence\"");
    return nlohmann::ordered_json{{"sentence", j.sentence}, {"prediction", int{j.prediction}}, {"label", int{j.label}}};
  });
}

/// Reads the file of MaRVL and NLVR2.
/// @throws rc3::Error naming file, item and field: a key is missing, of another type, or neither 0 nor 1
inline std::vector<Judgement> read_judgements(const std::filesystem::path& path) {
  std::vector<Judgement> all;
  detail::read_json_list(path, [&](const nlohmann::json& json, const std::string& where) {
    const auto truth = [&](const char* key) {
      const auto value = io::get<std::int64_t>(json, key, where);
      require(value == 0 || value == 1, where, ": \"", key, "\" must be 0 or 1, is ", value);
      return value == 1;
    };
    all.push_back({io::get<std::string>(json, "sentence", where), truth("prediction"), truth("label")});
  });
  return all;
}

/// Writes one hypothesis per line to @p path and the ids to `<path>.ids`. A line break inside a hypothesis becomes a
/// space.
/// @throws rc3::Error naming file and item, as write_predictions()
inline void write_translations(const std::filesystem::path& path, std::span<const Prediction> predictions) {
  detail::PredictionIds ids;
  io::OutputFile out(path), names(path.string() + ".ids");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const std::string where = detail::item_of(path, i);
    ids.add(predictions[i].id, where + ": id");
    std::string line = predictions[i].answer;
    require_utf8(line, where + ": hypothesis");
    for (char& c : line)
      if (c == '\n' || c == '\r') c = ' ';
    out.write(line + '\n');
    names.write(predictions[i].id + '\n');
  }
  names.commit();
  out.commit();
}

/// Reads the files of write_translations().
/// @throws rc3::Error naming file and line: different numbers of ids and hypotheses, an empty or repeated id
inline std::vector<Prediction> read_translations(const std::filesystem::path& path) {
  const std::filesystem::path ids_path = path.string() + ".ids";
  auto answers = detail::split_lines(path), names = detail::split_lines(ids_path);
  require(answers.size() == names.size(), path.string(), " has ", answers.size(), " lines, ", ids_path.string(),
          " has ", names.size());
  detail::PredictionIds ids;
  std::vector<Prediction> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ids.add(names[i], join(ids_path.string(), ':', i + 1));
    all.push_back({std::move(names[i]), std::move(answers[i])});
  }
  return all;
}

}  // namespace rc3::data
