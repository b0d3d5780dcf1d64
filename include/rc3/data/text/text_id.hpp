#pragma once
/// Numbers for texts, so that a batch can say which captions are equal. LibTorch-free.

#include <cstdint>
#include <string_view>

namespace rc3::data {

/// A number that is equal for equal texts, >= 0 (FNV-1a; two of a million different texts meet once in ten million
/// data sets).
inline std::int64_t text_id(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return static_cast<std::int64_t>(hash >> 1);
}

}  // namespace rc3::data
