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
/// @param pad       id of padding; the tokenizer's pad_id()
/// @return ids int64 [B, L] and their mask
inline Texts pad_batch(std::span<const std::vector<std::int64_t>> sequences, std::int64_t multiple = 1,
                       std::int64_t pad = Tokenizer::pad) {
  require(multiple >= 1, "text::pad_batch: multiple must be at least 1, is ", multiple);
  std::size_t longest = 0;
  for (const auto& ids : sequences) longest = std::max(longest, ids.size());
  const auto b = static_cast<std::int64_t>(sequences.size());
  const auto l = (static_cast<std::int64_t>(longest) + multiple - 1) / multiple * multiple;
  Texts texts{at::full({b, l}, pad, at::kLong), at::zeros({b, l}, at::kBool), {}};
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
/// @throws rc3::Error as the tokenizer does, with the index of the text
template <TokenizerPolicy T>
Texts tokenize(const T& tokenizer, std::span<const std::string> texts, std::size_t threads = 1,
               std::int64_t multiple = 1) {
  return pad_batch(encode_all(tokenizer, texts, threads), multiple, tokenizer.pad_id());
}

}  // namespace rc3::text
