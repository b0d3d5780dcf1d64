#pragma once
/// Counts of n-grams, of characters or of words.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rc3::metric {

/// Frequency of each n-gram. The keys are views into the counted sequence, which must outlive them.
using Ngrams = std::unordered_map<std::u32string_view, std::int64_t>;

/// Words as numbers, so that words and characters are both sequences. The numbers only identify equal words, among the
/// sentences of one Vocabulary.
class Vocabulary {
 public:
  /// @param words  must outlive this
  std::u32string numbers(const std::vector<std::u32string_view>& words) {
    std::u32string out;
    out.reserve(words.size());
    for (const std::u32string_view word : words)
      out += known_.try_emplace(word, static_cast<char32_t>(known_.size())).first->second;
    return out;
  }

 private:
  std::unordered_map<std::u32string_view, char32_t> known_;
};

/// Number of n-grams of @p order, >= 1, in a sequence of @p length.
constexpr std::int64_t ngrams_in(std::size_t length, std::size_t order) {
  return length < order ? 0 : static_cast<std::int64_t>(length - order + 1);
}

/// n-grams of @p order, >= 1, in @p sequence.
inline Ngrams count_ngrams(std::u32string_view sequence, std::size_t order) {
  Ngrams out;
  for (std::size_t i = 0; i + order <= sequence.size(); ++i) ++out[sequence.substr(i, order)];
  return out;
}

/// Larger of the two counts of each n-gram.
inline void keep_larger(Ngrams& counts, const Ngrams& others) {
  for (const auto& [ngram, count] : others) {
    std::int64_t& kept = counts[ngram];
    kept = std::max(kept, count);
  }
}

/// Number of common n-grams: the sum of the smaller counts (Papineni 2002, "modified n-gram precision").
inline std::int64_t matches(const Ngrams& a, const Ngrams& b) {
  std::int64_t sum = 0;
  for (const auto& [ngram, count] : a) {
    const auto other = b.find(ngram);
    if (other != b.end()) sum += std::min(count, other->second);
  }
  return sum;
}

}  // namespace rc3::metric
