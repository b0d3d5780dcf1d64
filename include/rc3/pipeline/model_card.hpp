#pragma once
/// Model card: data, languages, figures and licences of a model, for readers. LibTorch-free.

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/config/fields.hpp"
#include "rc3/config/value.hpp"
#include "rc3/report/table.hpp"

namespace rc3 {

/// Pretrained weights that a model contains.
struct PretrainedWeights {
  std::string name;     ///< for example "multilingual-e5-small"
  std::string licence;  ///< for example "MIT"
  std::string source;   ///< a URL or a package
};

/// Card of a model. Every member may be empty.
struct ModelCard {
  std::string title = {};                       ///< heading; empty: "Vision-language model"
  std::string description = {};                 ///< Markdown
  std::string licence = {};                     ///< of the model as a whole
  std::vector<std::string> languages = {};      ///< codes of the training texts: "en", "de"
  std::vector<std::string> data = {};           ///< training data, one line a data set
  std::vector<report::Table> figures = {};      ///< measurements
  std::vector<PretrainedWeights> weights = {};  ///< with licences; an empty licence is written as "unknown"
};

template <class V>
void visit_fields(ModelCard& card, V&& v) {
  v("title", card.title, "title");
  v("description", card.description, "Markdown");
  v("licence", card.licence, "of the model as a whole");
  v("languages", card.languages, "codes of the training texts");
  v("data", card.data, "training data, one line a data set");
  v("figures", card.figures, "tables of measurements");
  v("weights", card.weights, "pretrained weights that the model contains");
}

namespace pipeline {

namespace detail {

/// @p text as one cell of a Markdown table, or one line.
inline std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

inline std::string markdown_table(const report::Table& table) {
  std::string out = "### " + cell(table.title) + "\n\n| |";
  for (const auto& column : table.columns) out += ' ' + cell(column) + " |";
  out += "\n|---|";
  for (std::size_t i = 0; i < table.columns.size(); ++i) out += "---:|";
  out += '\n';
  for (const auto& row : table.rows) {
    out += "| " + cell(row.group.empty() ? row.name : row.group + ", " + row.name) + " |";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      char number[64] = "";
      if (i < row.cells.size() && std::isfinite(row.cells[i]))
        std::snprintf(number, sizeof number, "%.*f", table.digits, row.cells[i]);
      out += std::string(" ") + number + " |";
    }
    out += '\n';
  }
  return out + '\n';
}

}  // namespace detail

/// The card as the README.md of a model directory, with Hugging Face's metadata block. Equal cards give equal bytes.
/// @param variant  type of the model
inline std::string markdown(const ModelCard& card, const std::string& variant) {
  using detail::cell;
  const auto quoted = [](const std::string& text) {  // a JSON string is a YAML string
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  std::string out = "---\nlibrary_name: rc3\n";
  if (!card.licence.empty()) out += "license: " + quoted(card.licence) + '\n';
  if (!card.languages.empty()) out += "language:\n";
  for (const auto& language : card.languages) out += "- " + quoted(language) + '\n';
  out += "---\n\n# " + cell(card.title.empty() ? "Vision-language model" : card.title) + "\n\n";
  if (!card.description.empty()) out += card.description + "\n\n";
  out +=
      "A model directory of the C++ library rc3. Load it with `rc3::load<Model>(directory)`, where `Model` is\n\n"
      "```\n" +
      variant + "\n```\n\n";
  if (!card.data.empty()) out += "## Training data\n\n";
  for (const auto& line : card.data) out += "- " + cell(line) + '\n';
  if (!card.data.empty()) out += '\n';
  if (!card.figures.empty()) out += "## Figures\n\n";
  for (const auto& table : card.figures) out += detail::markdown_table(table);
  if (!card.weights.empty()) out += "## Pretrained weights\n\n| weights | licence | source |\n|---|---|---|\n";
  for (const auto& w : card.weights)
    out +=
        "| " + cell(w.name) + " | " + cell(w.licence.empty() ? "unknown" : w.licence) + " | " + cell(w.source) + " |\n";
  return out;
}

}  // namespace pipeline

namespace config {

template <>
struct Form<std::vector<PretrainedWeights>> {
  static nlohmann::ordered_json to_json(const std::vector<PretrainedWeights>& all) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& w : all) json.push_back({{"name", w.name}, {"licence", w.licence}, {"source", w.source}});
    return json;
  }
  template <class Wrong>
  static std::vector<PretrainedWeights> from_json(const nlohmann::ordered_json& json, const Wrong& wrong) {
    std::vector<PretrainedWeights> all;
    try {
      if (!json.is_array()) wrong("an array of {\"name\", \"licence\", \"source\"}");
      for (const auto& w : json) all.push_back({w.at("name"), w.at("licence"), w.at("source")});
    } catch (const nlohmann::json::exception&) {
      wrong("an array of {\"name\", \"licence\", \"source\"}");
    }
    return all;
  }
  static nlohmann::ordered_json from_text(std::string_view text) { return std::string(text); }
};

template <>
struct Form<std::vector<report::Table>> {
  static nlohmann::ordered_json to_json(const std::vector<report::Table>& tables) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& table : tables) {
      auto rows = nlohmann::ordered_json::array();
      for (const auto& row : table.rows) {
        auto cells = nlohmann::ordered_json::array();
        for (const double x : row.cells)
          cells.push_back(std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json(nullptr));
        rows.push_back({{"name", row.name}, {"cells", std::move(cells)}, {"group", row.group}});
      }
      json.push_back({{"title", table.title}, {"columns", table.columns}, {"digits", table.digits}, {"rows", rows}});
    }
    return json;
  }
  template <class Wrong>
  static std::vector<report::Table> from_json(const nlohmann::ordered_json& json, const Wrong& wrong) {
    std::vector<report::Table> tables;
    try {
      if (!json.is_array()) wrong("an array of tables");
      for (const auto& t : json) {
        report::Table table{t.at("title"), t.at("columns"), {}};
        table.digits = t.at("digits");
        for (const auto& r : t.at("rows")) {
          report::Table::Row row{r.at("name"), {}, r.at("group")};
          for (const auto& c : r.at("cells"))
            row.cells.push_back(c.is_null() ? std::numeric_limits<double>::quiet_NaN() : c.template get<double>());
          table.rows.push_back(std::move(row));
        }
        tables.push_back(std::move(table));
      }
    } catch (const nlohmann::json::exception&) {
      wrong("an array of tables, {\"title\", \"columns\", \"digits\", \"rows\": [{\"name\", \"cells\", \"group\"}]}");
    }
    return tables;
  }
  static nlohmann::ordered_json from_text(std::string_view text) { return std::string(text); }
};

}  // namespace config
}  // namespace rc3
