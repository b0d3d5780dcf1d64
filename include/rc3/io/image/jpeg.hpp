#pragma once
/// Segments of a JPEG before its first scan, without decoding.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"

namespace rc3::io::jpeg {

inline constexpr std::string_view signature = "\xFF\xD8\xFF";  ///< first bytes of a file

/// Limit of scans. A scan of a few bytes may process the whole image again: ten thousand take minutes. Cameras write
/// about ten.
inline constexpr std::size_t max_scans = 500;

/// Facts that decoders do not report, or report too late.
struct Facts {
  std::string_view exif;    ///< TIFF block of the first EXIF segment; empty: none
  int components = 0;       ///< 1 grey, 3 YCbCr or RGB, 4 CMYK or YCCK
  bool has_adobe = false;   ///< whether an Adobe segment distinguishes CMYK from YCCK
  bool junk = false;        ///< whether there are bytes between segments that belong to none
  bool sequential = false;  ///< whether one scan holds the whole image: baseline, not progressive
  std::string_view scans;   ///< the file from its first scan on
};

/// Calls visit(marker, segment) for each segment before the first scan. Fill bytes between segments are passed over,
/// and so is junk, which libjpeg and Pillow skip. A thumbnail in a segment has markers of its own.
/// A segment has its marker and length, so at least 4 bytes.
/// @param junk  receives whether there was any; null: not asked for
/// @return the file from its first scan on; empty: a segment is truncated, or there is no scan
template <class Visit>
std::string_view for_each_segment(std::string_view bytes, const Visit& visit, bool* junk = nullptr) {
  const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (std::size_t i = 2; i + 4 <= bytes.size();) {
    const unsigned marker = at(i + 1);
    if (at(i) != 0xFF || marker == 0xFF || marker == 0) {
      if (junk != nullptr) *junk = *junk || at(i) != 0xFF || marker == 0;
      ++i;
      continue;
    }
    const std::size_t length = 2 + (std::size_t{at(i + 2)} << 8 | at(i + 3));
    if (length < 4 || i + length > bytes.size()) break;
    if (marker == 0xDA) return bytes.substr(i);
    visit(marker, bytes.substr(i, length));
    i += length;
  }
  return {};
}

/// Facts of the JPEG @p bytes from the segments before its first scan. The scans are not read.
/// @throws rc3::Error naming @p name if a segment is truncated
inline Facts facts(std::string_view bytes, std::string_view name) {
  Facts found;
  const auto visit = [&](unsigned marker, std::string_view segment) {
    const std::string_view data = segment.substr(4);
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame && data.size() >= 6) {
      found.components = static_cast<unsigned char>(data[5]);
      found.sequential = marker <= 0xC1;
    }
    if (marker == 0xE1 && found.exif.empty() && data.starts_with(std::string_view("Exif\0\0", 6)))
      found.exif = data.substr(6);
    if (marker == 0xEE && data.starts_with("Adobe")) found.has_adobe = true;
  };
  found.scans = for_each_segment(bytes, visit, &found.junk);
  require(!found.scans.empty(), name, ": truncated JPEG: ends before its first scan");
  return found;
}

/// First byte of the first scan's data.
inline std::size_t scan_data(const Facts& facts) {
  return 2 +
         (std::size_t{static_cast<unsigned char>(facts.scans[2])} << 8 | static_cast<unsigned char>(facts.scans[3]));
}

/// Whether there is an end marker. Inside scans the byte FF is followed by 00 or a marker, so this pair is the end.
inline bool has_end(const Facts& facts) {
  return facts.scans.find("\xFF\xD9", scan_data(facts)) != std::string_view::npos;
}

/// Whether the end marker is missing, and bytes without any marker may follow a whole image: a camera's trailer. Only
/// decoding tells. Pillow reads such a file.
inline bool may_have_trailer(const Facts& facts) {
  if (!facts.sequential || has_end(facts)) return false;
  const std::string_view data = facts.scans.substr(scan_data(facts));
  for (std::size_t i = 0; (i = data.find('\xFF', i)) < data.size(); ++i) {
    const unsigned marker = i + 1 < data.size() ? static_cast<unsigned char>(data[i + 1]) : 0xFF;
    if (marker != 0 && (marker < 0xD0 || marker > 0xD7)) return false;  // neither a byte FF nor a restart
  }
  return true;
}

/// @throws rc3::Error naming @p name if the end marker is missing (decoders fill the missing part with grey, some
///         without a report), or there are more than max_scans scans
inline void check_scans(const Facts& facts, std::string_view name) {
  const std::size_t header = scan_data(facts), end = facts.scans.find("\xFF\xD9", header);
  require(
      end != std::string_view::npos, name, ": truncated JPEG: no end marker",
      may_have_trailer(facts) ? "; if it has a trailer instead, io::TurboJpeg reads it [docs/concepts/image.md]" : "");
  const std::string_view scans = facts.scans.substr(0, end);
  std::size_t count = 1;
  for (std::size_t next = header; (next = scans.find("\xFF\xDA", next)) != std::string_view::npos; next += 2) ++count;
  require(count <= max_scans, name, ": a progressive JPEG of ", count, " scans, more than the allowed ", max_scans);
}

/// @p bytes without junk between segments, with an Adobe segment if it has four channels, and with an end marker if
/// may_have_trailer(): decoders refuse the first or ignore it silently, and take the second for other colours. Pillow
/// reads all, the second as Adobe's CMYK.
/// @return empty: @p bytes need no change
inline std::string repaired(std::string_view bytes, const Facts& facts) {
  const bool unmarked = facts.components == 4 && !facts.has_adobe;
  const bool endless = may_have_trailer(facts);
  if (!facts.junk && !unmarked && !endless) return {};
  std::string out;
  out.reserve(bytes.size() + 16);
  out = bytes.substr(0, 2);
  if (unmarked)
    out.append(
        "\xFF\xEE\0\x0E"
        "Adobe\0\x64\0\0\0\0\0",
        16);
  for_each_segment(bytes, [&](unsigned, std::string_view segment) { out += segment; });
  out += facts.scans;
  if (endless) out += "\xFF\xD9";
  return out;
}

}  // namespace rc3::io::jpeg
