#pragma once
/// Check of a SentencePiece model's character map, which the library reads without bounds. LibTorch-free.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/text/detail/proto.hpp"

namespace rc3::text::detail {

inline constexpr std::size_t max_charsmap_bytes = 4u << 20;  ///< limit of a character map; XLM-R's has 240 KB

/// Checks that each look-up in the map stays within it: u32 bytes of the trie, a double array of darts-clone, and
/// texts ended by NUL, to which its values point.
/// @throws rc3::Error naming @p where if one may leave it
inline void check_charsmap(std::string_view map, std::string_view where) {
  static_assert(std::endian::native == std::endian::little, "so is SentencePiece's format");
  if (map.empty()) return;
  const auto damaged = [&](bool fine, const char* what) {
    require(fine, where, ": damaged or hostile SentencePiece model: ", what);
  };
  damaged(map.size() <= max_charsmap_bytes, "a character map of more than 4 MiB");
  std::uint32_t size = 0;
  damaged(map.size() > 4, "a character map without a trie");
  std::memcpy(&size, map.data(), 4);
  damaged(size < map.size() - 4 && size >= 1024 && size % 4 == 0, "the trie of the character map has no valid size");
  const std::string_view texts = map.substr(4 + size);
  damaged(texts.back() == '\0', "the texts of the character map have no end");

  std::vector<std::uint32_t> units(size / 4);
  std::memcpy(units.data(), map.data() + 4, size);
  constexpr std::uint32_t leaf = 1u << 31;
  const auto base_of = [&](std::uint32_t at) {
    const std::uint32_t unit = units[at], base = at ^ (unit >> 10) << ((unit & (1u << 9)) >> 6);
    damaged((base | 0xFF) < units.size(), "the trie of the character map leaves it");
    return base;
  };
  std::vector<bool> seen(units.size());
  std::vector<std::uint32_t> bases{base_of(0)};
  while (!bases.empty()) {
    const auto base = bases.back();
    bases.pop_back();
    if (seen[base]) continue;
    seen[base] = true;
    for (std::uint32_t label = 0; label < 256; ++label) {
      const auto child = base ^ label;
      if ((units[child] & (leaf | 0xFF)) != label) continue;
      bases.push_back(base_of(child));
      if ((units[child] >> 8 & 1) != 0)
        damaged((units[bases.back()] & ~leaf) < texts.size(), "a value of the character map is outside its texts");
    }
  }
}

/// Checks the character maps of a serialized ModelProto: normalizer_spec (3) and denormalizer_spec (5),
/// precompiled_charsmap (2).
/// @param model  as SentencePiece itself writes it: a file may hold unknown fields, at which ProtoFields ends
/// @throws rc3::Error as check_charsmap does
inline void check_model(std::string_view model, std::string_view where) {
  for (ProtoFields all(model); all.next();)
    if (all.field == 3 || all.field == 5)
      for (ProtoFields spec(all.bytes); spec.next();)
        if (spec.field == 2) check_charsmap(spec.bytes, where);
}

}  // namespace rc3::text::detail
