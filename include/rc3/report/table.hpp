#pragma once
/// Table of named numbers, for reports and terminals. LibTorch-free.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "rc3/report/text_table.hpp"

namespace rc3::report {

/// Numbers with names, for example recall by language. A cell that is not finite stays empty.
struct Table {
  /// A row: its name and a number for each column.
  struct Row {
    std::string name;           ///< label of the row
    std::vector<double> cells;  ///< one a column; not finite: empty
    std::string group = {};     ///< rows of one group are printed under its name
  };
  std::string title;                 ///< line above the table
  std::vector<std::string> columns;  ///< headers, without that of the names
  std::vector<Row> rows;             ///< in the order of printing
  int digits = 1;                    ///< digits after the decimal point
  double full = 100;                 ///< value of a full bar in a cell, > 0
  bool best = true;                  ///< prints the highest cell of each column of a group in bold
};

/// The table as plain text: its title, then aligned columns. A group's name has a line of its own.
inline std::string text_of(const Table& table) {
  auto header = table.columns;
  header.insert(header.begin(), "");
  TextTable text(header);
  std::string group;
  for (const auto& row : table.rows) {
    if (row.group != group && !row.group.empty()) {
      std::vector<std::string> line(header.size());
      line[0] = row.group;
      text.row(std::move(line));
    }
    group = row.group;
    std::vector<std::string> cells{(row.group.empty() ? "" : "  ") + row.name};
    for (const double cell : row.cells) {
      char number[32] = "";
      if (std::isfinite(cell)) std::snprintf(number, sizeof number, "%.*f", table.digits, cell);
      cells.emplace_back(number);
    }
    cells.resize(header.size());
    text.row(std::move(cells));
  }
  return table.title + '\n' + text.text();
}

}  // namespace rc3::report
