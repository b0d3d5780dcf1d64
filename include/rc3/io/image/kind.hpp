#pragma once
/// Names of unsupported file types, for errors.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "rc3/core/utf8.hpp"

namespace rc3::io {

namespace detail {

/// Whether the beginning of a file is text: UTF-8 without control characters.
inline bool is_text(std::string_view bytes) {
  const std::string_view begin = bytes.substr(0, 512);
  const std::size_t bad = find_invalid_utf8(begin);
  const std::size_t cut = begin.size() < bytes.size() ? 3 : 0;  // the last character may be cut
  if (bad != std::string_view::npos && bad + cut < begin.size()) return false;
  return std::none_of(begin.begin(), begin.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f';
  });
}

}  // namespace detail

/// File type of @p bytes in words: "GIF", "HTML or XML text", "of an unknown type (begins with 00 01)".
/// @param bytes  the file's content, or its first 1024 bytes
inline std::string kind_of_file(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Magic {
    std::size_t at;
    std::string_view bytes;
    const char* name;
  };
  constexpr Magic magics[] = {{0, "\xFF\xD8\xFF"sv, "JPEG"},
                              {0, "\x89PNG\r\n\x1A\n"sv, "PNG"},
                              {0, "GIF8"sv, "GIF"},
                              {8, "WEBP"sv, "WebP"},
                              {8, "AVI "sv, "AVI video"},
                              {8, "WAVE"sv, "WAV audio"},
                              {0, "\x1A\x45\xDF\xA3"sv, "Matroska or WebM video"},
                              {0, "\0\0\1\xBA"sv, "MPEG video"},
                              {0, "\0\0\1\xB3"sv, "MPEG video"},
                              {0, "OggS"sv, "Ogg audio or video"},
                              {0, "fLaC"sv, "FLAC audio"},
                              {0, "ID3"sv, "MP3 audio"},
                              {4, "ftypqt"sv, "QuickTime video"},
                              {4, "ftypcrx"sv, "a camera's raw file (CR3)"},
                              {0, "FUJIFILM"sv, "a camera's raw file (RAF)"},
                              {4, "ftypavif"sv, "AVIF"},
                              {4, "ftypavis"sv, "AVIF"},
                              {4, "ftyphei"sv, "HEIC"},
                              {4, "ftypmif1"sv, "HEIC or AVIF"},
                              {4, "ftyp"sv, "MP4 or another ISO media file"},
                              {0, "BM"sv, "BMP"},
                              {0, "II*\0"sv, "TIFF or a camera's raw file"},
                              {0, "MM\0*"sv, "TIFF or a camera's raw file"},
                              {0, "\xFF\x0A"sv, "JPEG XL"},
                              {0, "\0\0\0\x0CJXL "sv, "JPEG XL"},
                              {0, "\0\0\0\x0CjP  "sv, "JPEG 2000"},
                              {0, "\0\0\1\0"sv, "Windows icon"},
                              {0, "8BPS"sv, "Photoshop"},
                              {0, "%PDF"sv, "PDF"},
                              {0, "PK\3\4"sv, "zip archive"},
                              {0, "\x1F\x8B"sv, "gzip"},
                              {0, "version https://git-lfs"sv, "Git LFS pointer; the file itself was not fetched"}};
  for (const Magic& magic : magics)
    if (bytes.size() > magic.at && bytes.substr(magic.at).starts_with(magic.bytes)) return magic.name;
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7') return "PNM";
  const auto text = bytes.find_first_not_of(" \t\r\n");
  if (text != std::string_view::npos && bytes[text] == '<')
    return bytes.substr(0, 1024).find("<svg") != std::string_view::npos ? "SVG" : "HTML or XML text";
  if (!bytes.empty() && detail::is_text(bytes)) return "text";
  std::string first = "of an unknown type (begins with";
  for (const char c : bytes.substr(0, 8)) {
    const auto byte = static_cast<unsigned char>(c);
    first += {' ', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  return first + ")";
}

}  // namespace rc3::io
