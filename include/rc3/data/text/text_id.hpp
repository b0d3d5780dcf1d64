#pragma once
/// Text ids, so that a batch can identify equal captions. LibTorch-free.

#include <cstdint>
#include <string_view>

namespace rc3::data {

/// Equal for equal texts, >= 0 (FNV-1a; a million different texts contain a collision in one of ten million data sets).
inline std::int64_t text_id(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return static_cast<std::int64_t>(hash >> 1);
}

}  // namespace rc3::data
