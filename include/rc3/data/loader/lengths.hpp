#pragma once
/// Text lengths of a data set in tokens. LibTorch-free.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/data/concept.hpp"
#include "rc3/data/loader/batches.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::data {

/// Tokens of the longest text of each sample, for BatchOptions::tokens; 1 for an unreadable sample, which the loader
/// will count.
/// @param threads  >= 1
/// @return one number a sample, >= 1
/// @throws rc3::Error without a thread
template <Dataset Source>
std::shared_ptr<const Lengths> measure_lengths(const Source& source, const text::Tokenizer& tokenizer,
                                               std::size_t threads = 1) {
  require(threads >= 1, "data::measure_lengths: threads must be at least 1, is 0");
  auto lengths = std::make_shared<Lengths>(static_cast<std::size_t>(source.size()), 1);
  std::atomic<std::int64_t> next{0};
  const auto work = [&] {
    for (std::int64_t i = next++; i < source.size(); i = next++) try {
        std::size_t longest = 1;
        for (const Text& text : source.read(i).texts) longest = std::max(longest, tokenizer.encode(text.text).size());
        (*lengths)[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(longest);
      } catch (const Error&) {
      }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work);
    work();
  }
  return lengths;
}

}  // namespace rc3::data
