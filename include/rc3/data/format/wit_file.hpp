#pragma once
/// Rows of one WIT file. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/blank.hpp"
#include "rc3/core/error.hpp"
#include "rc3/data/format/annotation_file.hpp"
#include "rc3/io/fields.hpp"

namespace rc3::data {

/// The used columns of a row.
struct WitRow {
  std::string language;   ///< "en", "sr-Latn"
  std::string image_url;  ///< identifies the image
  std::string mime_type;  ///< "image/jpeg"
  std::string caption;    ///< of the first caption column that is not blank, else empty
};

/// Seventeen columns with a header, quoted as by Python's csv module: a row may span several lines.
class WitFile {
 public:
  /// @param captions  names of columns, in order of preference
  /// @throws rc3::Error naming the file: unreadable, compressed, or without such a column
  WitFile(const std::filesystem::path& path, const std::vector<std::string>& captions) : lines_(path) {
    require(!captions.empty(), "WIT: no caption column was asked for");
    std::int64_t line = 0;
    require(size() > 0, path.string(), ": is empty; the first line must name the columns");
    const std::vector<std::string> names = fields(line);
    columns_ = names.size();
    language_ = column(names, "language");
    image_url_ = column(names, "image_url");
    mime_type_ = column(names, "mime_type");
    for (const std::string& name : captions) captions_.push_back(column(names, name));
  }

  /// Size in lines, including the header.
  std::int64_t size() const { return lines_.size(); }
  std::string where(std::int64_t line) const { return lines_.where(line); }
  bool empty(std::int64_t line) const { return lines_.empty(line); }

  /// The row that begins at @p line, which becomes the line after the row.
  /// @throws rc3::Error naming the line: an unclosed quote, or another number of fields than the header
  WitRow read(std::int64_t& line) const {
    const std::string here = where(line);
    const std::vector<std::string> row = fields(line);
    require(row.size() == columns_, here, ": has ", row.size(), " fields, the first line ", columns_);
    WitRow out{row[language_], row[image_url_], row[mime_type_], ""};
    for (const std::size_t caption : captions_)
      if (out.caption.empty() && !is_blank(row[caption])) out.caption = row[caption];
    return out;
  }

 private:
  static constexpr std::size_t max_bytes = 1 << 20;  ///< of a row
  static constexpr std::int64_t max_lines = 1000;    ///< of a row

  std::vector<std::string> fields(std::int64_t& line) const {
    const std::int64_t begin = line;
    io::FieldSplitter splitter('\t');
    std::size_t bytes = 0;
    for (bool whole = false; !whole; ++line) {
      require(line < size() && line < begin + max_lines && bytes <= max_bytes, where(begin),
              ": a quote at a field's begin is not closed");
      const std::string text = lines_.read(line);
      bytes += text.size();
      whole = splitter.add(text);
    }
    return splitter.fields();
  }

  std::size_t column(const std::vector<std::string>& names, std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    std::string all;
    for (const std::string& other : names) all += join(all.empty() ? "" : ", ", other);
    require(found != names.end(), lines_.where(0), ": has no column ", name, "; it has ", all.substr(0, 1000));
    require(std::find(found + 1, names.end(), name) == names.end(), lines_.where(0), ": the column ", name,
            " is there twice");
    return static_cast<std::size_t>(found - names.begin());
  }

  AnnotationFile lines_;
  std::size_t columns_ = 0;
  std::size_t language_ = 0, image_url_ = 0, mime_type_ = 0;
  std::vector<std::size_t> captions_;
};

}  // namespace rc3::data
