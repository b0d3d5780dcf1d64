#pragma once
/// Corpus BLEU, equal to sacreBLEU's.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rc3/core/error.hpp"
#include "rc3/metric/ngrams.hpp"
#include "rc3/metric/references.hpp"
#include "rc3/metric/smoothing.hpp"
#include "rc3/metric/tokenize/tokenizer.hpp"
#include "rc3/metric/unicode/text.hpp"

namespace rc3::metric {

/// Options of bleu(), as in sacreBLEU.
struct BleuOptions {
  tokenize::Tokenizer tokenizer = tokenize::V13a();  ///< or None, Intl, Zh, Characters, or a user's tokenize::Policy
  Smoothing smoothing = smoothing::Exp();            ///< or Floor, AddK, None
  bool lowercase = false;                            ///< compare in lower case
  bool effective_order = false;  ///< skip orders for which no hypothesis is long enough; for single sentences
};

/// Score with its components. Element n - 1 of an array is for n-grams of n tokens.
struct Bleu {
  static constexpr std::size_t orders = 4;  ///< longest n-grams, in tokens

  double score = 0;                            ///< 0 .. 100
  std::array<std::int64_t, orders> matches{};  ///< n-grams of hypotheses found in a reference, unsmoothed
  std::array<std::int64_t, orders> totals{};   ///< n-grams of hypotheses
  std::array<double, orders> precisions{};     ///< percent, smoothed; all 0 without matches
  double brevity_penalty = 1;                  ///< 0 .. 1
  std::int64_t hypothesis_length = 0;          ///< tokens
  std::int64_t reference_length = 0;           ///< tokens of each sentence's reference of the closest length
  std::string signature;                       ///< "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
};

namespace detail {

/// Adds the counts of sentence @p s, tokenized by @p tokenizer.
inline void add_sentence(Bleu& sum, const Sentence& s, const tokenize::Tokenizer& tokenizer) {
  const auto tokenized = [&](std::u32string_view text) { return tokenizer(unicode::trim_end(text)); };
  std::vector<std::u32string> lines{tokenized(s.hypothesis)};
  for (const auto& reference : s.references) lines.push_back(tokenized(reference));
  Vocabulary words;
  std::vector<std::u32string> sequences;
  for (const auto& line : lines) sequences.push_back(words.numbers(unicode::split(line)));
  const std::u32string& hypothesis = sequences.front();
  const std::span references = std::span(sequences).subspan(1);

  const auto length = [](const std::u32string& sequence) { return static_cast<std::int64_t>(sequence.size()); };
  const auto distance = [&](const std::u32string& r) {  // the shorter of two at equal distance
    return std::pair(std::abs(length(r) - length(hypothesis)), length(r));
  };
  sum.hypothesis_length += length(hypothesis);
  sum.reference_length += length(*std::min_element(
      references.begin(), references.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); }));
  for (std::size_t order = 1; order <= Bleu::orders; ++order) {
    Ngrams known;
    for (const auto& reference : references) keep_larger(known, count_ngrams(reference, order));
    sum.matches[order - 1] += metric::matches(count_ngrams(hypothesis, order), known);
    sum.totals[order - 1] += ngrams_in(hypothesis.size(), order);
  }
}

/// Score, precisions and brevity penalty from counts and lengths.
inline void finish(Bleu& bleu, const Smoothing& smoothing, bool effective_order) {
  if (bleu.hypothesis_length < bleu.reference_length)
    bleu.brevity_penalty =
        bleu.hypothesis_length == 0
            ? 0
            : std::exp(1 - static_cast<double>(bleu.reference_length) / static_cast<double>(bleu.hypothesis_length));
  if (bleu.matches == decltype(bleu.matches){}) return;
  std::size_t used = 0;
  int zeros = 0;
  for (; used < Bleu::orders; ++used) {
    zeros += bleu.matches[used] == 0;
    const smoothing::Fraction counts{static_cast<double>(bleu.matches[used]), static_cast<double>(bleu.totals[used])};
    const auto [matches, total] =
        std::visit([&, order = static_cast<int>(used) + 1](const auto& smooth) { return smooth(counts, order, zeros); },
                   smoothing);
    if (total == 0) break;
    bleu.precisions[used] = 100 * matches / total;
  }
  if (!effective_order) used = Bleu::orders;
  double logarithms = 0;
  for (std::size_t i = 0; i < used; ++i) logarithms += std::log(bleu.precisions[i]);  // -inf: the score is 0
  // Rounding alone can exceed 100.
  bleu.score = std::min(100.0, bleu.brevity_penalty * std::exp(logarithms / static_cast<double>(used)));
}

}  // namespace detail

/// BLEU = BP * exp(1/4 * sum of ln p_n), n = 1 .. 4, in percent (Papineni et al. 2002, "BLEU: a Method for Automatic
/// Evaluation of Machine Translation"), with the tokenizations of Post 2018, "A Call for Clarity in Reporting BLEU
/// Scores": equal to sacreBLEU's corpus score.
///
/// p_n is the share of the hypotheses' n-grams found in a reference, over the whole corpus; each counts at most as
/// often as in the reference where it is most frequent. BP = 1 if the hypotheses' c tokens are at least the references'
/// r, else exp(1 - r / c). r counts the reference of the closest length for each sentence, the shorter of two.
///
/// @param hypotheses  UTF-8, one text per sentence; a text may be empty
/// @param references  UTF-8, one or several per sentence
/// @throws rc3::Error without sentences, for a sentence without a reference, for different numbers of sentences, or for
///         a text that is not UTF-8 (named by its index)
inline Bleu bleu(std::span<const std::string> hypotheses, const References& references,
                 const BleuOptions& options = {}) {
  references.check("metric::bleu", hypotheses.size());
  Bleu out;
  const auto name = [](const auto& smooth) { return smooth.name(); };
  out.signature = join("nrefs:", references.count(), "|case:", options.lowercase ? "lc" : "mixed",
                       "|eff:", options.effective_order ? "yes" : "no", "|tok:", options.tokenizer.name(),
                       "|smooth:", std::visit(name, options.smoothing));
  for (std::size_t i = 0; i < hypotheses.size(); ++i)
    detail::add_sentence(out, Sentence("metric::bleu", hypotheses, references, i, options.lowercase),
                         options.tokenizer);
  detail::finish(out, options.smoothing, options.effective_order);
  return out;
}

}  // namespace rc3::metric
