#pragma once
/// From strings to a padded batch of ids.

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <span>

#include "rc3/core/batch.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::text {

/// Pads sequences of ids to the longest of them.
/// @return ids int64 [B, L] (padding is Tokenizer::pad) and their mask
inline Texts pad_batch(std::span<const std::vector<std::int64_t>> sequences) {
  std::size_t longest = 0;
  for (const auto& ids : sequences) longest = std::max(longest, ids.size());
  const auto b = static_cast<std::int64_t>(sequences.size());
  const auto l = static_cast<std::int64_t>(longest);
  Texts texts{at::full({b, l}, Tokenizer::pad, at::kLong), at::zeros({b, l}, at::kBool), {}};
  auto ids = texts.ids.accessor<std::int64_t, 2>();
  auto mask = texts.mask.accessor<bool, 2>();
  for (std::int64_t i = 0; i < b; ++i) {
    const auto& row = sequences[static_cast<std::size_t>(i)];
    std::copy(row.begin(), row.end(), ids[i].data());
    std::fill_n(mask[i].data(), row.size(), true);
  }
  return texts;
}

/// @throws rc3::Error as Tokenizer::encode does, naming which of the texts
inline Texts tokenize(const Tokenizer& tokenizer, std::span<const std::string> texts) {
  std::vector<std::vector<std::int64_t>> sequences;
  sequences.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    try {
      sequences.push_back(tokenizer.encode(texts[i]));
    } catch (const Error& error) {
      fail("text ", i, " of ", texts.size(), ": ", error.what());
    }
  }
  return pad_batch(sequences);
}

}  // namespace rc3::text
