#pragma once
/// Tokenization of many texts on several threads. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/text/concept.hpp"

namespace rc3::text {

/// Ids of every text, equal for any number of threads.
/// @param threads  >= 1, including the caller's thread
/// @throws rc3::Error as the tokenizer does, for the first refused text, with its index; other exceptions of a
///         thread also reach the caller
template <TokenizerPolicy T>
std::vector<std::vector<std::int64_t>> encode_all(const T& tokenizer, std::span<const std::string> texts,
                                                  std::size_t threads = 1) {
  require(threads >= 1, "text::encode_all: threads must be at least 1, is 0");
  threads = std::clamp<std::size_t>(texts.size(), 1, threads);
  std::vector<std::vector<std::int64_t>> ids(texts.size());
  std::vector<std::exception_ptr> failed(threads);
  // Each thread has one block of texts and stops at its first error. The first block with an error thus has the first
  // error of all.
  const auto work = [&](std::size_t block) noexcept {
    std::size_t i = block * texts.size() / threads;
    const std::size_t end = (block + 1) * texts.size() / threads;
    try {
      for (; i < end; ++i) ids[i] = tokenizer.encode(texts[i]);
    } catch (const Error& error) {
      failed[block] = std::make_exception_ptr(Error(join("text ", i, " of ", texts.size(), ": ", error.what())));
    } catch (...) {
      failed[block] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t block = 1; block < threads; ++block) others.emplace_back(work, block);
    work(0);
  }
  for (const auto& error : failed)
    if (error) std::rethrow_exception(error);
  return ids;
}

}  // namespace rc3::text
