#pragma once
/// Image-text retrieval on held-out samples: recall in each language, by embeddings and after ITM re-ranking.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rc3/core/check.hpp"
#include "rc3/core/nn/device.hpp"
#include "rc3/features/cached_samples.hpp"
#include "rc3/report/table.hpp"
#include "rc3/task/retrieval.hpp"
#include "rc3/task/search.hpp"

namespace rc3::task {

/// Recall in one language.
struct LanguageRecall {
  std::string language;     ///< a tag, as in the data
  std::int64_t images = 0;  ///< number of candidates
  std::int64_t texts = 0;   ///< number of queries in this language
  Recall to_image;          ///< each text searches its image, or one with an equal text
  Recall to_text;           ///< each image searches any of its texts
};

/// What is searched, and how results are re-ranked.
struct RetrievalOptions {
  std::vector<std::string> languages = {};  ///< empty: all languages of the data
  std::int64_t rerank = 0;                  ///< best images, or texts, of each query that ITM re-ranks; 0: none
  double rerank_weight = 1.0;               ///< weight of ITM's probability, added to the cosine
  std::int64_t max_texts = 0;               ///< at most this number per language, evenly spread, >= 0; 0: all
};

/// Search among the images of held-out samples, which are embedded once.
/// @tparam Host  an rc3::Model in eval mode; it and the samples outlive this
template <class Host>
class RetrievalEvaluation {
 public:
  /// Embeds the images of all samples.
  /// @throws rc3::Error for fewer than two samples, or a negative max_texts
  RetrievalEvaluation(Host& host, features::CachedSamples& samples, RetrievalOptions options = {})
      : host_(host), samples_(samples), options_(std::move(options)) {
    c10::InferenceMode inference;
    require(options_.max_texts >= 0, "task::RetrievalEvaluation: max_texts must not be negative, is ",
            options_.max_texts);
    require(samples.size() >= 2, samples.name(), ": retrieval needs two images or more, has ", samples.size());
    images_ = detail::encode_in_chunks(samples.size(), [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int64_t> numbers;
      for (; begin < end; ++begin) numbers.push_back(begin);
      auto tokens = host.visual(samples.images(numbers).to(nn::device_of(host)));
      auto embeddings = host.image_embedding(tokens);
      return kept(std::move(tokens), std::move(embeddings));
    });
  }

  /// The texts that are used in @p language: those of CachedSamples::texts_in(language), at most max_texts.
  std::vector<features::TextOf> texts_in(const std::string& language) const {
    auto all = samples_.texts_in(language);
    const auto count = static_cast<std::size_t>(options_.max_texts);
    if (count == 0 || all.size() <= count) return all;
    std::vector<features::TextOf> some;
    for (std::size_t i = 0; i < count; ++i) some.push_back(all[i * all.size() / count]);
    return some;
  }

  /// Cosines of every text in @p language with every image, float [T, I]; texts in the order of texts_in(language).
  /// Re-ranked scores if the options enable it.
  at::Tensor scores(const std::string& language) const { return searched(texts(language), true); }

  /// Rank of each text's image, or of one with an equal text, int64 [T], 1 the best.
  at::Tensor image_ranks(const std::string& language) const {
    return best_ranks(scores(language).cpu(), right_images(texts_in(language)));
  }

  /// @throws rc3::Error for a language without a text
  LanguageRecall recall(const std::string& language) const {
    const auto which = texts_in(language);
    require(!which.empty(), samples_.name(), ": has no text in the language ", language);
    const auto encoded = texts(language);
    const auto right = right_images(which);
    const auto to_image = best_ranks(searched(encoded, true).cpu(), right);
    const auto asked = right.any(0).nonzero().squeeze(1);  // images with a text in this language
    const auto to_text =
        best_ranks(searched(encoded, false).cpu().index_select(0, asked), right.t().index_select(0, asked));
    return {language, samples_.size(), std::ssize(which), task::recall(to_image), task::recall(to_text)};
  }

  /// Recall in each language of the options, in their order; without any, in each language of the data, alphabetically.
  std::vector<LanguageRecall> recall() const {
    std::vector<LanguageRecall> all;
    auto languages = options_.languages;
    if (languages.empty())
      for (const auto& [language, count] : samples_.languages()) languages.push_back(language);
    for (const auto& language : languages) all.push_back(recall(language));
    return all;
  }

 private:
  Encoded kept(Tokens tokens, at::Tensor embeddings) const {
    if (options_.rerank == 0) tokens = {};  // only ITM needs them
    return {std::move(tokens), std::move(embeddings)};
  }

  Encoded texts(const std::string& language) const {
    c10::InferenceMode inference;
    const auto which = texts_in(language);
    return detail::encode_in_chunks(static_cast<std::int64_t>(which.size()), [&](std::int64_t begin, std::int64_t end) {
      const auto part =
          std::span(which).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      auto tokens = host_.text(samples_.texts(host_, part).to(nn::device_of(host_)));
      auto embeddings = host_.text_embedding(tokens);
      return kept(std::move(tokens), std::move(embeddings));
    });
  }

  /// Images with each text, or with an equal one. @return bool [T, I]
  at::Tensor right_images(const std::vector<features::TextOf>& which) const {
    std::unordered_map<std::string, std::vector<std::int64_t>> images_of;
    const auto text_of = [&](const features::TextOf& t) { return samples_.sample(t.sample).texts[t.text].text; };
    for (const auto& t : which) images_of[text_of(t)].push_back(t.sample);
    std::vector<std::int64_t> rows, columns;
    for (std::size_t i = 0; i < which.size(); ++i)
      for (const auto image : images_of.at(text_of(which[i]))) {
        rows.push_back(static_cast<std::int64_t>(i));
        columns.push_back(image);
      }
    return at::zeros({std::ssize(which), samples_.size()}, at::kBool)
        .index_put({at::tensor(rows, at::kLong), at::tensor(columns, at::kLong)}, at::ones({}, at::kBool));
  }

  /// @return float [T, I], or [I, T] if images are the queries
  at::Tensor searched(const Encoded& texts, bool texts_are_queries) const {
    c10::InferenceMode inference;
    auto scores = compare(texts, images_);
    if (!texts_are_queries) scores = scores.t().contiguous();
    if (options_.rerank == 0) return scores;
    return texts_are_queries ? rerank(host_, scores, texts, images_, true, options_.rerank, options_.rerank_weight)
                             : rerank(host_, scores, images_, texts, false, options_.rerank, options_.rerank_weight);
  }

  Host& host_;
  features::CachedSamples& samples_;
  RetrievalOptions options_;
  Encoded images_;
};

/// Mean over @p languages of @p all. @throws rc3::Error for a language that is not in @p all
inline LanguageRecall mean_recall(const std::vector<LanguageRecall>& all, const std::vector<std::string>& languages,
                                  const std::string& name = "mean") {
  LanguageRecall mean{name, 0, 0, {}, {}};
  const auto n = static_cast<double>(languages.size());
  for (const auto& language : languages) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.language == language; });
    require(found != all.end(), "task::mean_recall: there is no recall in the language ", language);
    mean.images = found->images;
    mean.texts += found->texts;
    for (auto [to, from] : {std::pair{&mean.to_image, &found->to_image}, std::pair{&mean.to_text, &found->to_text}}) {
      to->at1 += from->at1 / n;
      to->at5 += from->at5 / n;
      to->at10 += from->at10 / n;
    }
  }
  return mean;
}

/// A row of recall_table(), percent.
inline report::Table::Row recall_row(const LanguageRecall& r, std::string group = {}) {
  report::Table::Row row{r.language, {}, std::move(group)};
  for (const auto* recall : {&r.to_image, &r.to_text})
    for (const double value : {recall->at1, recall->at5, recall->at10}) row.cells.push_back(100 * value);
  return row;
}

/// Recall by language, percent: one row each, their mean, and the chance level.
inline report::Table recall_table(const std::vector<LanguageRecall>& found) {
  report::Table table;
  table.columns = {"text to image R@1", "R@5", "R@10", "image to text R@1", "R@5", "R@10"};
  std::vector<std::string> languages;
  for (const auto& r : found) {
    table.rows.push_back(recall_row(r));
    languages.push_back(r.language);
  }
  if (!found.empty()) {
    table.rows.push_back(recall_row(mean_recall(found, languages)));
    const auto guess = chance(found[0].images);
    table.rows.push_back(recall_row({"chance", found[0].images, 0, guess, guess}));
  }
  table.title = join("Retrieval by language, percent, among ", found.empty() ? 0 : found[0].images, " held-out images");
  return table;
}

}  // namespace rc3::task
