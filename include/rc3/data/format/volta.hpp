#pragma once
/// Regions of interest in the format of VOLTA and the bottom-up-attention detector: TSV without a header, with lines
///
///   img_id img_h img_w objects_id objects_conf attrs_id attrs_conf num_boxes boxes features
///
/// where the arrays are base64 of little-endian numbers: n int64 ids, n float32 confidences, float32 [n, 4] boxes (x1
/// y1 x2 y2 in pixels) and float32 [n, F] features. LibTorch-free.
/// Source: github.com/airsplay/lxmert, data/mscoco_imgfeat; github.com/e-bug/volta.

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/core/utf8.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/errors/data_errors.hpp"
#include "rc3/data/format/region_file.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/io/base64.hpp"
#include "rc3/io/lines.hpp"

namespace rc3::data {

static_assert(std::endian::native == std::endian::little, "arrays of VOLTA's files are copied as they are");

namespace volta {

/// Columns of a row, in this order, between tabs.
inline constexpr std::array<std::string_view, 10> fields{"img_id",       "img_h",    "img_w",      "objects_id",
                                                         "objects_conf", "attrs_id", "attrs_conf", "num_boxes",
                                                         "boxes",        "features"};
inline constexpr std::size_t max_id_bytes = 256;  ///< of an image's name in a TSV row

/// A row of VOLTA's TSV file: the regions of one image.
struct Row {
  std::string img_id;  ///< name of the image, UTF-8, 1 to max_id_bytes bytes
  Regions regions;     ///< without classes: a row has only the most likely one
};

namespace detail {

inline std::int64_t integer(std::string_view text, std::int64_t most, std::string_view where) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && stop == text.data() + text.size() && 1 <= value && value <= most, where,
          ": an integer of 1 to ", most, " is expected, is \"", text.substr(0, 30), '"');
  return value;
}

/// @p rows rows of @p columns numbers.
template <class T>
std::vector<T> numbers(std::string_view text, std::size_t rows, std::size_t columns, std::string_view where) {
  const std::size_t bytes = io::base64_size(text, where);
  require(bytes == rows * columns * sizeof(T), where, ": ", rows, " boxes need ", rows * columns * sizeof(T),
          " bytes, are ", bytes);
  std::vector<T> out(rows * columns);
  io::decode_base64(text, std::as_writable_bytes(std::span(out)), where);
  if constexpr (std::is_floating_point_v<T>)
    for (std::size_t i = 0; i < out.size(); ++i)
      require(std::isfinite(out[i]), where, ": number ", i % columns, " of box ", i / columns, " is not finite");
  return out;
}

/// Checks that @p id is a valid image name.
inline void check_id(std::string_view id, std::string_view where) {
  require(!id.empty() && id.size() <= max_id_bytes, where, ": img_id: 1 to ", max_id_bytes, " bytes are expected, are ",
          id.size());
  require_utf8(id, join(where, ": img_id"));
}

}  // namespace detail

/// Content of one line.
/// @param where  the file and the line, for errors
/// @throws rc3::Error "<where>: <field>: ..."
inline Row parse_row(std::string_view line, std::string_view where) {
  std::array<std::string_view, fields.size()> values;
  std::size_t count = 0;
  for (std::string_view rest = line;;) {
    const auto tab = rest.find('\t');
    if (count < values.size()) values[count] = rest.substr(0, tab);
    ++count;
    if (tab == std::string_view::npos) break;
    rest.remove_prefix(tab + 1);
  }
  require(count == fields.size(), where, ": ", count, " fields, ", fields.size(), " are expected: img_id to features");
  const auto name = [&](std::size_t field) { return join(where, ": ", fields[field]); };

  detail::check_id(values[0], where);
  Row row{std::string(values[0]), {}};
  Regions& regions = row.regions;
  regions.height = static_cast<float>(detail::integer(values[1], 1'000'000, name(1)));
  regions.width = static_cast<float>(detail::integer(values[2], 1'000'000, name(2)));
  const auto n = static_cast<std::size_t>(detail::integer(values[7], max_regions, name(7)));
  for (const std::size_t ids : {3U, 5U}) detail::numbers<std::int64_t>(values[ids], n, 1, name(ids));
  for (const std::size_t confidences : {4U, 6U}) detail::numbers<float>(values[confidences], n, 1, name(confidences));
  const auto corners = detail::numbers<float>(values[8], n, 4, name(8));
  for (std::size_t r = 0; r < n; ++r)
    regions.boxes.push_back({corners[4 * r], corners[4 * r + 1], corners[4 * r + 2], corners[4 * r + 3]});
  const std::size_t bytes = io::base64_size(values[9], name(9));
  const std::size_t columns = bytes / (n * sizeof(float));
  require(1 <= columns && columns <= static_cast<std::size_t>(max_region_numbers), name(9), ": ", columns,
          " numbers a box, 1 to ", max_region_numbers, " are expected");
  regions.features = detail::numbers<float>(values[9], n, columns, name(9));
  clip_boxes(regions);
  check_regions(regions, name(8));
  return row;
}

}  // namespace volta

/// Rows of a file, by img_id. As a data set: samples of regions alone, in the order of the file.
class VoltaRegions {
 public:
  /// The constructor reads only each row's img_id.
  /// @param lines   with `save_index` the whole file, which is large, is read only once
  /// @param errors  receives "row without img_id" and "duplicate img_id" (the first stays)
  /// @throws rc3::Error for an unreadable file, and over the error budget
  VoltaRegions(const std::filesystem::path& path, DataErrors& errors, const io::LinesOptions& lines = {})
      : lines_(path, lines), name_(path.string()) {
    for (std::int64_t i = 0; i < lines_.size(); ++i) {
      errors.add_samples();
      const std::string begin = lines_.read_begin(i, volta::max_id_bytes + 1);
      const auto tab = begin.find('\t');
      if (tab == 0 || tab == std::string::npos)
        errors.add("row without img_id",
                   join(lines_.where(i), ": img_id: 1 to ", volta::max_id_bytes, " bytes and a tab are expected"));
      else if (!rows_.emplace(begin.substr(0, tab), i).second)
        errors.add("duplicate img_id",
                   join(lines_.where(i), ": img_id: \"", begin.substr(0, tab), "\" was there before"));
      else
        order_.push_back(i);
    }
  }

  const std::string& name() const { return name_; }
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  const LanguageCounts& languages() const { return languages_; }

  /// Row @p i of 0 .. size() - 1: its img_id and regions. Thread-safe.
  /// @throws rc3::Error naming file, line and field of a row that is damaged
  Sample read(std::int64_t i) const {
    require(0 <= i && i < size(), name_, ": has ", size(), " rows, no row ", i);
    const std::int64_t line = order_[static_cast<std::size_t>(i)];
    volta::Row row = volta::parse_row(lines_.read(line), lines_.where(line));
    Sample sample;
    sample.id = std::move(row.img_id);
    sample.regions = std::move(row.regions);
    return sample;
  }

  /// Regions of @p img_id; nullopt if not in the file. Thread-safe.
  /// @throws rc3::Error naming file, line and field of a row that is damaged
  std::optional<Regions> find(const std::string& img_id) const {
    const auto found = rows_.find(img_id);
    if (found == rows_.end()) return std::nullopt;
    const std::string where = lines_.where(found->second);
    volta::Row row = volta::parse_row(lines_.read(found->second), where);
    require(row.img_id == img_id, where, ": img_id: \"", img_id, "\" was here when the file was opened");
    return std::move(row.regions);
  }

 private:
  io::Lines lines_;
  std::string name_;
  std::unordered_map<std::string, std::int64_t> rows_;
  std::vector<std::int64_t> order_;  // lines
  LanguageCounts languages_;         // none
};
static_assert(Dataset<VoltaRegions>);

}  // namespace rc3::data
