#pragma once
/// The image sheet: what a model finds for a query, as one PNG for people to look at.
/// sheet.cpp needs Pango and Cairo (apt: libpango1.0-dev), and fonts for the scripts of its texts (apt:
/// fonts-noto-core; Chinese, Japanese and Korean: fonts-noto-cjk).

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace support {

/// A found image.
struct SheetImage {
  int width = 0;                  ///< pixels, > 0
  int height = 0;                 ///< pixels, > 0
  std::vector<std::uint8_t> rgb;  ///< height x width x 3, interleaved
  double score = 0;               ///< printed below with two decimals
  bool right = false;             ///< it is what the query asked for: framed green
};

/// A query and what it found, the best first.
struct SheetRow {
  std::string language;  ///< in English, "Swahili"
  std::string query;
  std::string gloss;  ///< what it means in English; may be empty
  std::vector<SheetImage> images;
};

struct SheetOptions {
  std::string subtitle;  ///< a grey line below the title; may be empty
  double scale = 2;      ///< device pixels a layout pixel, 0.5 .. 8; 2 looks sharp on every screen
};

/// Draws @p rows into the PNG file @p path. Arabic, Hindi, Tamil and Thai are shaped as they should be.
/// @throws rc3::Error for no rows, an image whose buffer has another size than it says, or a file that cannot be
///         written
void write_sheet(const std::filesystem::path& path, const std::string& title, std::span<const SheetRow> rows,
                 const SheetOptions& options = {});

/// Whether the fonts of this machine have a shape for every letter of @p text.
bool fonts_cover(const std::string& text);

}  // namespace support
