#pragma once
/// Table of named numbers, for reports and terminals. LibTorch-free.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace rc3::report {

/// Numbers with names, for example recall@K by language. A cell that is not finite stays empty.
struct Table {
  struct Row {
    std::string name;
    std::vector<double> cells;
    std::string group = {};  ///< rows of one group are printed under its name
  };
  std::string title;
  std::vector<std::string> columns;
  std::vector<Row> rows;
  int digits = 1;     ///< digits after the decimal point
  double full = 100;  ///< value of a full bar in a cell, > 0
  bool best = true;   ///< prints the highest cell of each column of a group in bold
};

/// The table as plain text: columns of equal width, a group's name on a line of its own.
inline std::string text_of(const Table& table) {
  std::size_t width = 0;
  for (const auto& row : table.rows) width = std::max(width, row.name.size() + (row.group.empty() ? 0 : 2));
  std::string out = table.title + '\n' + std::string(width, ' ');
  for (const auto& column : table.columns) out += "  " + column;
  out += '\n';
  std::string group;
  for (const auto& row : table.rows) {
    if (row.group != group && !row.group.empty()) out += row.group + '\n';
    group = row.group;
    const std::string name = (row.group.empty() ? "" : "  ") + row.name;
    out += name + std::string(width - name.size(), ' ');
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      char number[32] = "";
      if (std::isfinite(row.cells[c])) std::snprintf(number, sizeof number, "%.*f", table.digits, row.cells[c]);
      const std::string cell = number;
      const auto column = std::max(c < table.columns.size() ? table.columns[c].size() : 0, cell.size());
      out += "  " + std::string(column - cell.size(), ' ') + cell;
    }
    out += '\n';
  }
  return out;
}

}  // namespace rc3::report
