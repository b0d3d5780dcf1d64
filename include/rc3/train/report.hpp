#pragma once
/// Report of a run: one self-contained HTML file, and the same content as JSON. LibTorch-free.

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "rc3/io/file.hpp"
#include "rc3/report/table.hpp"
#include "rc3/train/log.hpp"
#include "rc3/train/report/chart.hpp"
#include "rc3/train/report/style.hpp"

namespace rc3::train::report {

using rc3::report::Table;
using rc3::report::text_of;

/// Names and values, in the order of the page.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Content of a run's report.
struct Report {
  std::string title;                               ///< for example the variant's name
  std::string subtitle;                            ///< how the run ended
  Facts summary;                                   ///< for example "samples": "1.2 M"
  std::vector<Chart> charts;                       ///< in the order of the page
  std::vector<Table> tables;                       ///< before the curves
  nlohmann::ordered_json configuration = nullptr;  ///< JSON; null: none
  Facts environment;                               ///< see environment()
  Facts sources = {};  ///< of the configuration: origin of each option's value; empty: unknown
};

/// The report without its curves, which are in the log. A cell that is not finite is null.
inline nlohmann::ordered_json json(const Report& report) {
  using Json = nlohmann::ordered_json;
  const auto object = [](const Facts& facts) {
    auto all = Json::object();
    for (const auto& [name, value] : facts) all[name] = value;
    return all;
  };
  auto tables = Json::array();
  for (const Table& table : report.tables) {
    auto rows = Json::array();
    for (const auto& row : table.rows) {
      auto cells = Json::array();
      for (const double x : row.cells) cells.push_back(std::isfinite(x) ? Json(x) : Json());
      rows.push_back({{"name", row.name}, {"group", row.group}, {"cells", std::move(cells)}});
    }
    tables.push_back({{"title", table.title}, {"columns", table.columns}, {"rows", std::move(rows)}});
  }
  return {{"title", report.title},
          {"subtitle", report.subtitle},
          {"summary", object(report.summary)},
          {"tables", std::move(tables)},
          {"configuration", report.configuration},
          {"sources", object(report.sources)},
          {"environment", object(report.environment)}};
}

/// Machine, compiler and time, for reproduction of the numbers.
inline Facts environment() {
  Facts facts;
  utsname system{};
  if (::uname(&system) == 0) {
    facts.emplace_back("host", system.nodename);
    facts.emplace_back("system", join(system.sysname, ' ', system.release, ' ', system.machine));
  }
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) {
      facts.emplace_back("processor", line.substr(std::min(line.find(": ") + 2, line.size())));
      break;
    }
  facts.emplace_back("threads of the machine", std::to_string(std::thread::hardware_concurrency()));
  facts.emplace_back("compiler", __VERSION__);
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", ::gmtime_r(&now, &utc));
  facts.emplace_back("written", text);
  return facts;
}

/// Readable form of a name: "learning rate" for "learning_rate".
inline std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// Curves of a log: losses in one chart, every other value in a separate one. Names "loss" and "loss/..." are losses.
inline std::vector<Chart> charts_of(const std::vector<LogPoint>& points) {
  std::vector<std::string> names;
  for (const LogPoint& point : points)
    for (const auto& [name, value] : point.values)
      if (name != "epoch" && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  const auto series = [&](const std::string& name) {
    Series s{name, {}, {}};
    for (const LogPoint& point : points) {
      if (!point.has(name)) continue;  // an evaluation between two steps
      s.x.push_back(static_cast<double>(point.step));
      s.y.push_back(point[name]);
    }
    return s;
  };
  std::vector<Chart> charts{{"loss", {}, false, true}};
  for (const auto& name : names)
    if (name == "loss" || name.starts_with("loss/"))
      charts[0].series.push_back(series(name));
    else
      charts.push_back(
          {spoken(name), {series(name)}, name == "gradient_norm", name != "learning_rate" && name != "metric"});
  if (charts[0].series.empty()) charts.erase(charts.begin());
  return charts;
}

namespace detail {

inline std::string number(double x, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return text;
}

inline std::string html(const Chart& chart) {
  std::string out = "<figure><figcaption>" + escaped(chart.title);
  if (chart.logarithmic) out += " <small>logarithmic</small>";
  if (chart.series.size() > 1) {
    out += "<span class=\"legend\">";
    for (std::size_t i = 0; i < chart.series.size(); ++i)
      out += join("<span class=\"c", i % 6, "\">", escaped(chart.series[i].name), "</span>");
    out += "</span>";
  }
  return out + "</figcaption>" + Drawing(chart).svg() + "</figure>";
}

/// Whether a cell is the unique maximum of its group's column.
inline bool is_best(const Table& table, const Table::Row& row, std::size_t c) {
  if (!table.best) return false;
  std::int64_t rivals = 0, beaten = 0;
  for (const auto& other : table.rows)
    if (&other != &row && other.group == row.group && std::isfinite(other.cells[c])) {
      ++rivals;
      beaten += row.cells[c] > other.cells[c];
    }
  return rivals > 0 && beaten == rivals;
}

inline std::string html(const Table& table) {
  for (const auto& row : table.rows)
    require(row.cells.size() == table.columns.size(), "report::Table: row ", row.name, " has ", row.cells.size(),
            " cells for ", table.columns.size(), " columns");
  std::string out = "<section><h2>" + escaped(table.title) + "</h2><div class=\"scroll\"><table><thead><tr><th></th>";
  for (const auto& column : table.columns) out += "<th scope=\"col\">" + escaped(column) + "</th>";
  out += "</tr></thead><tbody>";
  std::string group;
  for (const auto& row : table.rows) {
    if (row.group != group) {
      group = row.group;
      out += join("<tr class=\"group\"><th colspan=\"", table.columns.size() + 1, "\">", escaped(group), "</th></tr>");
    }
    out += "<tr><th scope=\"row\">" + escaped(row.name) + "</th>";
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const double x = row.cells[c];
      if (!std::isfinite(x)) {
        out += "<td></td>";
        continue;
      }
      const double share = std::clamp(100 * x / table.full, 0.0, 100.0);
      out += join(is_best(table, row, c) ? "<td class=\"best\"" : "<td", " style=\"--share:", number(share, 1), "%\">",
                  number(x, table.digits), "</td>");
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div></section>";
}

inline std::string html(const Facts& facts, const char* kind) {
  std::string out = join("<dl class=\"", kind, "\">");
  for (const auto& [name, value] : facts)
    out += "<div><dt>" + escaped(name) + "</dt><dd>" + escaped(value) + "</dd></div>";
  return out + "</dl>";
}

/// One line per fact, with aligned values.
inline std::string lines(const Facts& facts) {
  std::size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : facts) out += name + std::string(width - name.size() + 2, ' ') + value + '\n';
  return out;
}

}  // namespace detail

/// HTML page.
inline std::string html(const Report& report) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>" +
      escaped(report.title) + "</title><style>" + std::string(style) + "</style></head>\n<body><main><header><h1>" +
      escaped(report.title) + "</h1><p>" + escaped(report.subtitle) + "</p></header>\n";
  if (!report.summary.empty()) out += detail::html(report.summary, "tiles") + '\n';
  for (const Table& table : report.tables) out += detail::html(table) + '\n';
  if (!report.charts.empty()) {
    out += "<section><h2>Curves</h2><div class=\"charts\">";
    for (const Chart& chart : report.charts) out += detail::html(chart) + '\n';
    out += "</div></section>\n";
  }
  if (!report.configuration.is_null()) {
    out += "<section><h2>Configuration</h2><details><summary>as it was used, defaults included</summary><pre>" +
           escaped(report.configuration.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) +
           "</pre></details>";
    if (!report.sources.empty())
      out += "<details><summary>where each value comes from</summary><pre>" + escaped(detail::lines(report.sources)) +
             "</pre></details>";
    out += "</section>\n";
  }
  if (!report.environment.empty())
    out += "<section><h2>Environment</h2>" + detail::html(report.environment, "facts") + "</section>\n";
  return out + "</main></body></html>\n";
}

/// @throws rc3::Error if the file cannot be written
inline void write_report(const std::filesystem::path& path, const Report& report) {
  io::write_file(path, html(report));
}
/// Writes json() to a file; invalid UTF-8 is replaced. @throws rc3::Error as write_report
inline void write_report_json(const std::filesystem::path& path, const Report& report) {
  io::write_file(path, json(report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

}  // namespace rc3::train::report
