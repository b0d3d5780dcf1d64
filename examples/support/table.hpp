#pragma once
/// A small aligned table for the terminal.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "width.hpp"

namespace support {

/// Texts to the left in the first column, to the right in all others; rules where asked for.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} { rule(); }

  /// @throws rc3::Error unless there is a cell for each column
  Table& row(std::vector<std::string> cells) {
    rc3::require(cells.size() == rows_[0].size(), "Table: a row has ", cells.size(), " cells, the header ",
                 rows_[0].size());
    rows_.push_back(std::move(cells));
    return *this;
  }

  /// A horizontal line before the next row.
  Table& rule() {
    rows_.emplace_back();
    return *this;
  }

  std::string text() const {
    std::vector<int> widths(rows_[0].size(), 0);
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < widths.size(); ++i) {
        if (i > 0) line += "  ";
        if (row.empty())
          for (int k = 0; k < widths[i]; ++k) line += "─";
        else
          line += pad(row[i], widths[i], i > 0);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;  // an empty one is a rule
};

}  // namespace support
