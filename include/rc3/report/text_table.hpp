#pragma once
/// Aligned table of texts for terminals. LibTorch-free.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/report/width.hpp"

namespace rc3::report {

/// Rows of cells, left-aligned in the first column and right-aligned in the others.
class TextTable {
 public:
  /// @param header  names of the columns
  explicit TextTable(std::vector<std::string> header) : rows_{std::move(header)} {}

  /// @throws rc3::Error unless there is a cell for each column
  TextTable& row(std::vector<std::string> cells) {
    require(cells.size() == rows_[0].size(), "report::TextTable: a row has ", cells.size(), " cells, the header ",
            rows_[0].size());
    rows_.push_back(std::move(cells));
    return *this;
  }

  /// A horizontal line before the next row.
  TextTable& rule() {
    rows_.emplace_back();
    return *this;
  }

  /// Lines with line feeds, UTF-8; columns are as wide as their widest cell on a terminal.
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
  std::vector<std::vector<std::string>> rows_;  ///< an empty one is a rule
};

}  // namespace rc3::report
