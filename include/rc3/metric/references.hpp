#pragma once
/// Reference texts: one or several per sentence.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/metric/unicode/lower.hpp"
#include "rc3/metric/unicode/text.hpp"

namespace rc3::metric {

/// View of the references of a corpus, which must outlive it.
class References {
 public:
  /// One per sentence.
  References(const std::vector<std::string>& texts) : one_(texts), size_(texts.size()) {}  // NOLINT: meant to convert
  /// Several per sentence, in any number: element i has those of sentence i.
  References(const std::vector<std::vector<std::string>>& texts)  // NOLINT: meant to convert
      : several_(texts), size_(texts.size()) {}

  std::size_t size() const { return size_; }  ///< number of sentences
  /// References of sentence @p i, 0 .. size() - 1.
  std::span<const std::string> of(std::size_t i) const {
    return several_.empty() ? one_.subspan(i, 1) : std::span<const std::string>(several_[i]);
  }

  /// Number of references per sentence in signatures: "1", "var".
  std::string count() const {
    const std::size_t first = of(0).size();
    for (std::size_t i = 1; i < size_; ++i)
      if (of(i).size() != first) return "var";
    return std::to_string(first);
  }

  /// @throws rc3::Error "<metric>: ..." without sentences, or if one of @p hypotheses has no reference
  void check(std::string_view metric, std::size_t hypotheses) const {
    require(hypotheses > 0, metric, ": no sentence was given; a score needs one");
    require(size_ == hypotheses, metric, ": ", hypotheses, " hypotheses, but references for ", size_,
            " sentences; give one list of references a hypothesis");
    for (std::size_t i = 0; i < size_; ++i)
      require(!of(i).empty(), metric, ": references[", i, "] is empty; each sentence needs a reference");
  }

 private:
  std::span<const std::string> one_;
  std::span<const std::vector<std::string>> several_;
  std::size_t size_;
};

/// Characters of sentence @p i of a corpus, optionally in lower case.
struct Sentence {
  std::u32string hypothesis;               ///< code points
  std::vector<std::u32string> references;  ///< code points, at least one

  /// @throws rc3::Error "<metric>: hypotheses[i]: not UTF-8 at byte ..."
  Sentence(std::string_view metric, std::span<const std::string> hypotheses, const References& all, std::size_t i,
           bool lowercase) {
    const auto read = [lowercase](std::string_view text, const std::string& where) {
      std::u32string out = unicode::decode(text, where);
      return lowercase ? unicode::lower(out) : out;
    };
    hypothesis = read(hypotheses[i], join(metric, ": hypotheses[", i, ']'));
    for (const std::string& text : all.of(i))
      references.push_back(read(text, join(metric, ": references[", i, "][", references.size(), ']')));
  }
};

}  // namespace rc3::metric
