#pragma once
/// Corpus chrF and chrF++, equal to sacreBLEU's.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/metric/ngrams.hpp"
#include "rc3/metric/references.hpp"
#include "rc3/metric/unicode/text.hpp"

namespace rc3::metric {

/// Options of chrf(), as in sacreBLEU.
struct ChrfOptions {
  int char_order = 6;      ///< n-grams of 1 .. char_order characters, >= 1
  int word_order = 0;      ///< and of 1 .. word_order words, >= 0; 2: chrF++
  double beta = 2;         ///< weight of recall against precision, > 0
  bool lowercase = false;  ///< compare in lower case
};

/// Numbers of n-grams of one order in hypothesis and reference.
struct ChrfCounts {
  std::int64_t hypothesis = 0;  ///< n-grams of the hypothesis
  std::int64_t reference = 0;   ///< n-grams of the reference
  std::int64_t matches = 0;     ///< n-grams of both, each as often as in the one that has fewer
};

/// Result of chrf().
struct Chrf {
  double score = 0;                ///< 0 .. 100
  std::vector<ChrfCounts> counts;  ///< for 1 .. char_order characters, then 1 .. word_order words
  std::string signature;           ///< "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no"
};

namespace detail {

/// Words of chrF++: one ASCII punctuation mark at a word's end is a word, else one at its start.
inline std::vector<std::u32string_view> chrf_words(std::u32string_view text) {
  const auto mark = [](char32_t c) {
    return std::u32string_view(U"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").find(c) != std::u32string_view::npos;
  };
  std::vector<std::u32string_view> out;
  for (const std::u32string_view word : unicode::split(text)) {
    const std::size_t cut = mark(word.back()) ? word.size() - 1 : mark(word.front()) ? 1 : 0;
    if (cut > 0) out.push_back(word.substr(0, cut));
    if (cut < word.size()) out.push_back(word.substr(cut));
  }
  return out;
}

/// F score of precision and recall, each the mean over the orders for which both sides are long enough.
inline double chrf_score(std::span<const ChrfCounts> counts, double beta) {
  double precision = 0, recall = 0;
  int used = 0;
  for (const auto& [hypothesis, reference, matches] : counts) {
    if (hypothesis == 0 || reference == 0) continue;
    precision += static_cast<double>(matches) / static_cast<double>(hypothesis);
    recall += static_cast<double>(matches) / static_cast<double>(reference);
    ++used;
  }
  if (precision == 0 || recall == 0) return 0;
  precision /= used;
  recall /= used;
  return 100 * (1 + beta * beta) * precision * recall / (beta * beta * precision + recall);
}

/// Compared parts of a text: its characters and its words.
struct ChrfText {
  std::u32string characters, words;
};

inline std::vector<ChrfCounts> chrf_counts(const ChrfText& hypothesis, const ChrfText& reference,
                                           const ChrfOptions& options) {
  std::vector<ChrfCounts> out;
  const auto add = [&out](std::u32string_view h, std::u32string_view r, int orders) {
    for (std::size_t order = 1; order <= static_cast<std::size_t>(orders); ++order) {
      // An order for which the reference is too short does not count: no match is possible.
      const std::int64_t in_reference = ngrams_in(r.size(), order);
      out.push_back({in_reference == 0 ? 0 : ngrams_in(h.size(), order), in_reference,
                     matches(count_ngrams(h, order), count_ngrams(r, order))});
    }
  };
  add(hypothesis.characters, reference.characters, options.char_order);
  add(hypothesis.words, reference.words, options.word_order);
  return out;
}

}  // namespace detail

/// chrF_beta = (1 + beta^2) P R / (beta^2 P + R) in percent, where P and R are the means of the precisions and recalls
/// of n-grams of 1 .. 6 characters without white space (Popović 2015, "chrF: character n-gram F-score for automatic MT
/// evaluation"), and with `word_order = 2` also of 1 and 2 words: chrF++ (Popović 2017, "chrF++: words helping
/// character n-grams"). Equal to sacreBLEU's corpus score.
///
/// Counts are summed over the corpus before division. Of several references the one with the sentence's best score
/// counts, the first of equal ones.
///
/// @param hypotheses  UTF-8, one text per sentence; a text may be empty
/// @param references  UTF-8, one or several per sentence
/// @throws rc3::Error without sentences, for a sentence without a reference, for different numbers of sentences, for an
///         option out of its range, or for a text that is not UTF-8 (named by its index)
inline Chrf chrf(std::span<const std::string> hypotheses, const References& references,
                 const ChrfOptions& options = {}) {
  require(options.char_order >= 1 && options.word_order >= 0 && options.beta > 0,
          "metric::chrf: needs char_order >= 1, word_order >= 0 and beta > 0, not ", options.char_order, ", ",
          options.word_order, " and ", options.beta);
  references.check("metric::chrf", hypotheses.size());
  Chrf out;
  out.counts.resize(static_cast<std::size_t>(options.char_order + options.word_order));
  out.signature = join("nrefs:", references.count(), "|case:", options.lowercase ? "lc" : "mixed",
                       "|eff:yes|nc:", options.char_order, "|nw:", options.word_order, "|space:no");
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const Sentence sentence("metric::chrf", hypotheses, references, i, options.lowercase);
    Vocabulary words;
    const auto read = [&words](std::u32string_view text) {
      return detail::ChrfText{unicode::without_space(text), words.numbers(detail::chrf_words(text))};
    };
    const detail::ChrfText hypothesis = read(sentence.hypothesis);
    std::vector<ChrfCounts> best;
    double best_score = -1;
    for (const std::u32string& reference : sentence.references) {
      auto counts = detail::chrf_counts(hypothesis, read(reference), options);
      const double score = detail::chrf_score(counts, options.beta);
      if (score > best_score) best = std::move(counts), best_score = score;
    }
    for (std::size_t n = 0; n < best.size(); ++n) {
      out.counts[n].hypothesis += best[n].hypothesis;
      out.counts[n].reference += best[n].reference;
      out.counts[n].matches += best[n].matches;
    }
  }
  out.score = detail::chrf_score(out.counts, options.beta);
  return out;
}

}  // namespace rc3::metric
