#pragma once
/// Vocabulary of a decoder. LibTorch-free.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/text/tokenizer.hpp"

namespace rc3::task {

/// The tokenizer pieces in some texts, renumbered. A corpus needs some thousands of XLM-R's 250,000 pieces, and the
/// cost of the decoder's softmax grows with its words. The first words are: end of text, unknown, and one word per
/// language, which the decoder reads first (as in mBART).
class Vocabulary {
 public:
  static constexpr std::int64_t end = 0;      ///< word that ends a text
  static constexpr std::int64_t unknown = 1;  ///< word of every piece that the texts lack

  /// @param tokenizer   its prefix is omitted
  /// @param languages   target languages, unique tags, at least one
  /// @param texts       target texts of the decoder's training
  /// @param max_length  words of a text, with language and end, >= 3; longer texts are truncated
  /// @throws rc3::Error without a language, for one that is listed twice, or as Tokenizer::encode
  Vocabulary(const text::Tokenizer& tokenizer, std::vector<std::string> languages, std::span<const std::string> texts,
             std::int64_t max_length = 64)
      : tokenizer_(tokenizer.with({.prefix = "", .max_length = max_length})), languages_(std::move(languages)) {
    require(!languages_.empty(), "task::Vocabulary: no language");
    for (const std::string& language : languages_)
      require(std::count(languages_.begin(), languages_.end(), language) == 1, "task::Vocabulary: the language ",
              language, " is listed twice");
    std::map<std::int64_t, bool> seen;  // sorted by id, not by the order of the texts
    for (const std::string& text : texts)
      for (const std::int64_t id : tokenizer_.encode(text)) seen[id] = true;
    for (const auto& [id, yes] : seen) {
      if (id <= text::Tokenizer::unk) continue;
      word_of_[id] = size();
      pieces_.push_back(id);
    }
  }

  /// K, number of words.
  std::int64_t size() const { return first_piece() + static_cast<std::int64_t>(pieces_.size()); }
  /// In the order of their words: language i is word 2 + i.
  const std::vector<std::string>& languages() const { return languages_; }
  /// The tokenizer's id of each piece; word first_piece() + i is pieces()[i].
  const std::vector<std::int64_t>& pieces() const { return pieces_; }
  /// Number of words that are no pieces: end, unknown and the languages.
  std::int64_t first_piece() const { return 2 + static_cast<std::int64_t>(languages_.size()); }

  /// The word of a language. @throws rc3::Error for a language that is not a target
  std::int64_t language(std::string_view tag) const {
    const auto found = std::find(languages_.begin(), languages_.end(), tag);
    if (found == languages_.end()) {
      std::string known;
      for (const auto& l : languages_) known += join(known.empty() ? "" : ", ", l);
      fail("task::Vocabulary: nothing is written in \"", tag, "\", only in ", known);
    }
    return 2 + (found - languages_.begin());
  }

  /// Language, text, end. @throws rc3::Error as language() and Tokenizer::encode
  std::vector<std::int64_t> encode(std::string_view text, std::string_view language) const {
    std::vector<std::int64_t> words{this->language(language)};
    for (const std::int64_t id : tokenizer_.encode(text)) {
      if (id == text::Tokenizer::bos || id == text::Tokenizer::eos) continue;
      const auto found = word_of_.find(id);
      words.push_back(found == word_of_.end() ? unknown : found->second);
    }
    words.push_back(end);
    return words;
  }

  /// Text of @p words, without those that are no pieces. @throws rc3::Error for a number that is not a word
  std::string decode(std::span<const std::int64_t> words) const {
    std::vector<std::int64_t> ids;
    for (const std::int64_t word : words) {
      require(word >= 0 && word < size(), "task::Vocabulary: ", word, " is none of the ", size(), " words");
      if (word >= first_piece()) ids.push_back(pieces_[static_cast<std::size_t>(word - first_piece())]);
    }
    return tokenizer_.decode(ids);
  }

 private:
  text::Tokenizer tokenizer_;
  std::vector<std::string> languages_;
  std::vector<std::int64_t> pieces_;
  std::unordered_map<std::int64_t, std::int64_t> word_of_;
};

}  // namespace rc3::task
