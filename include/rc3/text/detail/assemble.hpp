#pragma once
/// Sequences with XLM-R's special tokens from the tokens of texts. LibTorch-free.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rc3/text/encoding.hpp"

namespace rc3::text::detail {

inline constexpr std::int64_t bos_id = 0, pad_id = 1, eos_id = 2, unk_id = 3;

/// XLM-R's id of a SentencePiece id. @pre neither <s> nor </s>, which no text contains
constexpr std::int64_t xlm_r_id(std::int64_t piece) { return piece == 0 ? unk_id : piece + 1; }

inline void resize(std::vector<std::int64_t>& ids, std::size_t n) { ids.resize(n); }
inline void resize(Encoding& e, std::size_t n) {
  e.ids.resize(n);
  e.characters.resize(n);
  e.bytes.resize(n);
  e.source.resize(n);
}

/// Sequence of one or two texts with special tokens.
inline std::vector<std::int64_t> between(const std::vector<std::int64_t>& a,
                                         const std::vector<std::int64_t>* b = nullptr) {
  std::vector<std::int64_t> all{bos_id};
  all.reserve(a.size() + 4 + (b ? b->size() : 0));
  const auto add = [&](const auto& ids) {
    all.insert(all.end(), ids.begin(), ids.end());
    all.push_back(eos_id);
  };
  add(a);
  if (b) {
    all.push_back(eos_id);
    add(*b);
  }
  return all;
}

inline Encoding between(const Encoding& a, const Encoding* b = nullptr) {
  Encoding all;
  const auto special = [&](std::int64_t id) {
    all.ids.push_back(id);
    all.characters.push_back({});
    all.bytes.push_back({});
    all.source.push_back(Encoding::special);
  };
  const auto add = [&](const Encoding& e) {
    all.ids.insert(all.ids.end(), e.ids.begin(), e.ids.end());
    all.characters.insert(all.characters.end(), e.characters.begin(), e.characters.end());
    all.bytes.insert(all.bytes.end(), e.bytes.begin(), e.bytes.end());
    all.source.insert(all.source.end(), e.source.begin(), e.source.end());
    special(eos_id);
  };
  special(bos_id);
  add(a);
  if (b) {
    special(eos_id);
    add(*b);
  }
  return all;
}

inline std::size_t tokens(const std::vector<std::int64_t>& ids) { return ids.size(); }
inline std::size_t tokens(const Encoding& encoding) { return encoding.size(); }

}  // namespace rc3::text::detail
