#pragma once
/// The words that a decoder writes with. LibTorch-free.

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

/// Those pieces of a tokenizer that some texts hold, numbered anew: of XLM-R's 250,000 a corpus needs some thousands,
/// and the decoder's softmax costs as much as it has words. Before them: end of text, unknown, one word a language,
/// which the decoder reads first (as in mBART).
class Vocabulary {
 public:
  static constexpr std::int64_t end = 0, unknown = 1;

  /// @param tokenizer   its prefix is left out
  /// @param languages   that are written in, tags without repeats, one at least
  /// @param texts       those that the decoder learns to write
  /// @param max_length  words of a text, language and end included, >= 3; longer ones are cut
  Vocabulary(const text::Tokenizer& tokenizer, std::vector<std::string> languages, std::span<const std::string> texts,
             std::int64_t max_length = 64)
      : tokenizer_(tokenizer.with({.prefix = "", .max_length = max_length})), languages_(std::move(languages)) {
    require(!languages_.empty(), "task::Vocabulary: no language");
    for (const std::string& language : languages_)
      require(std::count(languages_.begin(), languages_.end(), language) == 1, "task::Vocabulary: the language ",
              language, " is listed twice");
    std::map<std::int64_t, bool> seen;  // in the order of their ids: not in that of the texts
    for (const std::string& text : texts)
      for (const std::int64_t id : tokenizer_.encode(text)) seen[id] = true;
    for (const auto& [id, yes] : seen) {
      if (id <= text::Tokenizer::unk) continue;
      word_of_[id] = size();
      pieces_.push_back(id);
    }
  }

  /// K: all words.
  std::int64_t size() const { return first_piece() + static_cast<std::int64_t>(pieces_.size()); }
  const std::vector<std::string>& languages() const { return languages_; }
  /// The tokenizer's id of each piece; word first_piece() + i is pieces()[i].
  const std::vector<std::int64_t>& pieces() const { return pieces_; }
  std::int64_t first_piece() const { return 2 + static_cast<std::int64_t>(languages_.size()); }

  /// The word that stands for a language. @throws rc3::Error for one that is not written in
  std::int64_t language(std::string_view tag) const {
    const auto found = std::find(languages_.begin(), languages_.end(), tag);
    if (found == languages_.end()) {
      std::string known;
      for (const auto& l : languages_) known += join(known.empty() ? "" : ", ", l);
      fail("task::Vocabulary: nothing is written in \"", tag, "\", only in ", known);
    }
    return 2 + (found - languages_.begin());
  }

  /// Language, text, end. @throws rc3::Error as language() and Tokenizer::encode do
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

  /// The text of @p words, those that are no pieces left out. @throws rc3::Error for a number that is no word
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
