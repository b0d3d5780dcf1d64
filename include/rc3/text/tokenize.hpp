#pragma once
/// Padded batches of ids from strings.

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <span>

#include "rc3/core/batch.hpp"
#include "rc3/text/encode_all.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::text {

/// Padding of id sequences on the right, at least to the longest.
/// @param multiple  L is rounded up to a multiple, >= 1; 8 suits matrix products in half precision
/// @return ids int64 [B, L] (padding is Tokenizer::pad) and their mask
inline Texts pad_batch(std::span<const std::vector<std::int64_t>> sequences, std::int64_t multiple = 1) {
  require(multiple >= 1, "text::pad_batch: multiple must be at least 1, is ", multiple);
  std::size_t longest = 0;
  for (const auto& ids : sequences) longest = std::max(longest, ids.size());
  const auto b = static_cast<std::int64_t>(sequences.size());
  const auto l = (static_cast<std::int64_t>(longest) + multiple - 1) / multiple * multiple;
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

/// Tokenized and padded batch, equal for any number of threads.
/// @param threads   as in encode_all, >= 1
/// @param multiple  as in pad_batch, >= 1
/// @throws rc3::Error as Tokenizer::encode does, with the index of the text
inline Texts tokenize(const Tokenizer& tokenizer, std::span<const std::string> texts, std::size_t threads = 1,
                      std::int64_t multiple = 1) {
  return pad_batch(encode_all(tokenizer, texts, threads), multiple);
}

}  // namespace rc3::text
