#pragma once
/// Text generation from a decoder: greedy and beam search.

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "rc3/core/batch.hpp"
#include "rc3/core/check.hpp"

namespace rc3::fusion {

/// Tokens, length and beams of generated texts.
struct GenerateOptions {
  std::int64_t start = 2;                  ///< first input of the decoder; `</s>` in XLM-R's ids, as in mBART
  std::int64_t end = 2;                    ///< last token of a text
  std::optional<std::int64_t> first = {};  ///< forced first token, for example a language's; not part of the score
  std::int64_t max_length = 32;            ///< tokens per text, > 0, including `end`, which is forced at this length
  std::int64_t beams = 1;                  ///< beams of the search, > 0; 1: greedy
  double length_penalty = 0.0;             ///< alpha >= 0 in score = log p / ((5 + length) / 6)^alpha (Wu et al. 2016)
};

/// Generated text with its score.
struct Hypothesis {
  std::vector<std::int64_t> ids;                            ///< without `start` and `end`
  double score = -std::numeric_limits<double>::infinity();  ///< log p, normalised by length_penalty; <= 0
};

namespace detail {

/// log p / ((5 + length) / 6)^alpha. @param length  tokens, including `end`
inline double length_normalised(double log_p, std::size_t length, double alpha) {
  return log_p / std::pow((5.0 + static_cast<double>(length)) / 6.0, alpha);
}

/// Search state of one sample.
struct Search {
  std::vector<Hypothesis> beams;     ///< score: log p
  std::vector<Hypothesis> finished;  ///< score: length-normalised; best first, at most as many as beams
  bool done = false;
};

}  // namespace detail

/// Best text of each sample. Every hypothesis ends with `end`, whose probability counts; a finished hypothesis does not
/// grow. The search of a sample stops when no beam can improve on the finished ones.
/// @param decoder  has forward(ids, memory, Cache*), logits(states) and Cache::select, like fusion::Decoder
/// @param memory   Tokens [B, M, D]
/// @return B hypotheses
/// @throws rc3::Error for an option out of range, a decoder in training mode, or max_length above the decoder's
///         positions
template <class Decoder>
std::vector<Hypothesis> generate(Decoder& decoder, const Tokens& memory, const GenerateOptions& options = {}) {
  require(options.max_length > 0 && options.beams > 0, "fusion::generate: max_length and beams must be above 0, are ",
          options.max_length, " and ", options.beams);
  require(options.length_penalty >= 0, "fusion::generate: length_penalty must not be negative, is ",
          options.length_penalty);
  if constexpr (requires { decoder.is_training(); })
    require(!decoder.is_training(),
            "fusion::generate: the decoder is in training, its dropout would be heard; call eval()");
  if constexpr (requires { decoder.options().positions; })
    require(options.max_length <= decoder.options().positions, "fusion::generate: max_length is ", options.max_length,
            ", but the decoder has positions for ", decoder.options().positions);
  c10::NoGradGuard no_grad;
  const auto b = memory.values.size(0), k = options.beams;
  constexpr double never = -std::numeric_limits<double>::infinity();
  std::vector<detail::Search> searches(static_cast<std::size_t>(b));
  for (auto& s : searches) {
    s.beams.assign(static_cast<std::size_t>(k), {});
    s.beams[0].score = 0;  // all beams are equal at first: only one is extended
  }
  const auto device = memory.values.device();
  const auto rows = at::arange(b, device).repeat_interleave(k);
  const Tokens repeated = memory.select(rows);
  typename Decoder::Cache cache;
  auto ids = at::full({b * k, 1}, options.start, rows.options());

  for (std::int64_t step = 0; step < options.max_length; ++step) {
    const auto states = decoder.forward(ids, repeated, &cache).select(1, -1);
    const auto log_p = decoder.logits(states).to(at::kDouble).log_softmax(1);  // [B k, K]
    const auto vocabulary = log_p.size(1);
    require(options.end >= 0 && options.end < vocabulary && options.first.value_or(0) >= 0 &&
                options.first.value_or(0) < vocabulary && options.first != options.end,
            "fusion::generate: end and first must be two of the decoder's ", vocabulary, " words");
    std::vector<std::int64_t> source, token;
    for (std::int64_t i = 0; i < b; ++i) {
      auto& s = searches[static_cast<std::size_t>(i)];
      std::vector<Hypothesis> next;
      std::vector<std::int64_t> from;
      const auto total = [&](std::int64_t beam) { return s.beams[static_cast<std::size_t>(beam)].score; };
      const auto finish = [&](const Hypothesis& h, double score) {
        Hypothesis found = h;
        found.score = detail::length_normalised(score, h.ids.size() + 1, options.length_penalty);
        const auto better = [](const Hypothesis& x, const Hypothesis& y) { return x.score > y.score; };
        s.finished.insert(std::upper_bound(s.finished.begin(), s.finished.end(), found, better), found);
        if (static_cast<std::int64_t>(s.finished.size()) > k) s.finished.pop_back();
      };
      if (!s.done) {
        auto candidates = log_p.narrow(0, i * k, k).clone();
        for (std::int64_t beam = 0; beam < k; ++beam) candidates[beam] += total(beam);
        if (step == 0 && options.first && options.max_length > 1) {
          candidates.fill_(never)[0][*options.first] = 0;
        } else if (step == options.max_length - 1) {
          const auto only = candidates.select(1, options.end).clone();
          candidates.fill_(never).select(1, options.end).copy_(only);
        }
        // Twice as many as beams, since up to k of them may end.
        const auto [most, where] = candidates.flatten().topk(std::min(2 * k, k * vocabulary));
        const auto scores = most.cpu(), places = where.cpu();
        const auto score = scores.template accessor<double, 1>();
        const auto place = places.template accessor<std::int64_t, 1>();
        for (std::int64_t c = 0; c < score.size(0) && static_cast<std::int64_t>(next.size()) < k; ++c) {
          if (score[c] == never) break;
          const auto beam = place[c] / vocabulary, word = place[c] % vocabulary;
          const auto& before = s.beams[static_cast<std::size_t>(beam)];
          if (word == options.end) {
            if (c < k) finish(before, score[c]);
            continue;
          }
          next.push_back(before);
          next.back().ids.push_back(word);
          next.back().score = score[c];
          from.push_back(i * k + beam);
        }
        // Upper bound of a beam's score: no further loss, and the maximal length.
        const double best = next.empty()
                                ? never
                                : detail::length_normalised(next[0].score, static_cast<std::size_t>(options.max_length),
                                                            options.length_penalty);
        const bool full = static_cast<std::int64_t>(s.finished.size()) == k;
        s.done = next.empty() || (full && (k == 1 || s.finished.back().score >= best));
      }
      while (static_cast<std::int64_t>(next.size()) < k) {  // unused beams
        next.push_back({{}, never});
        from.push_back(i * k);
      }
      for (std::int64_t beam = 0; beam < k; ++beam) {
        const auto& h = next[static_cast<std::size_t>(beam)];
        source.push_back(from[static_cast<std::size_t>(beam)]);
        token.push_back(h.ids.empty() ? options.end : h.ids.back());
      }
      s.beams = std::move(next);
    }
    if (std::all_of(searches.begin(), searches.end(), [](const auto& s) { return s.done; })) break;
    if (k > 1) cache = cache.select(at::tensor(source, at::kLong).to(device));
    ids = at::tensor(token, at::kLong).to(device).unsqueeze(1);
  }
  std::vector<Hypothesis> best;
  for (const auto& s : searches) best.push_back(s.finished.empty() ? Hypothesis{} : s.finished.front());
  return best;
}

}  // namespace rc3::fusion
