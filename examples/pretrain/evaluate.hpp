#pragma once
/// Retrieval on images whose glyphs were never trained on, language by language.

#include <rc3/task/retrieval.hpp>

#include <map>
#include <string>
#include <vector>

#include "../support/table.hpp"
#include "world.hpp"

namespace pretrain {

/// Recall in both directions.
struct Score {
  rc3::task::Recall to_image, to_text;
};

/// Scores by language.
using Scores = std::map<std::string, Score>;

/// Searches among all images of a test side.
class Evaluation {
 public:
  /// @param views  canonical view first; an image's vector is the mean over its views
  Evaluation(Model& model, const Views& views, const TextMemory& texts, const emoji::Glyphs& glyphs,
             const std::vector<std::size_t>& which)
      : model_(model), texts_(texts), glyphs_(glyphs), which_(which), views_(views) {
    c10::InferenceMode inference;
    model_.eval();
    std::vector<at::Tensor> vectors;
    for (std::int64_t begin = 0; begin < views.size(); begin += 256)
      vectors.push_back(model.image_embedding(model.visual(views.range(begin, std::min(views.size(), begin + 256)))));
    const auto all =
        at::cat(vectors).view({static_cast<std::int64_t>(which.size()), static_cast<std::int64_t>(views.views()), -1});
    images_ = rc3::nn::l2_normalize(all.mean(1));
  }

  /// Similarity of every name (rows) to every image (columns), float [n, n].
  at::Tensor similarity(const std::string& language) const {
    c10::InferenceMode inference;
    return names(language).matmul(images_.t());
  }

  /// The same, with each row's @p top best images ordered by ITM as well: s + weight * (ITM logit, standardised).
  at::Tensor reranked(const std::string& language, std::int64_t top, double weight) const {
    c10::InferenceMode inference;
    auto scores = similarity(language).clone();
    const auto n = scores.size(0);
    const auto best = std::get<1>(scores.topk(top, 1));
    std::vector<std::string> batch;
    for (const auto g : which_) batch.push_back(name_of(glyphs_, g, language));
    const auto texts = model_.text(texts_.batch(batch));
    const auto visual = canonical();
    std::vector<at::Tensor> logits;
    for (std::int64_t begin = 0; begin < n; begin += 32) {
      const auto rows = at::arange(begin, std::min(n, begin + 32));
      const auto images = best.index_select(0, rows).flatten();
      const auto repeated = rows.unsqueeze(1).expand({rows.size(0), top}).flatten();
      logits.push_back(model_.itm_logits(model_.fuse(visual.select(images), texts.select(repeated))).view({-1, top}));
    }
    const auto match = at::cat(logits).sigmoid();
    // Only the order within the best `top` changes: they stay above all others.
    const auto bonus = at::full_like(match, 10.0) + weight * match;
    return scores.scatter_add(1, best, bonus);
  }

  Scores all(const std::vector<std::string>& languages) const {
    Scores scores;
    for (const auto& language : languages) scores[language] = score(similarity(language));
    return scores;
  }

  static Score score(const at::Tensor& similarity) {
    const auto own = at::arange(similarity.size(0));
    return {rc3::task::recall(rc3::task::ranks(similarity, own)),
            rc3::task::recall(rc3::task::ranks(similarity.t().contiguous(), own))};
  }

 private:
  at::Tensor names(const std::string& language) const {
    std::vector<std::string> batch;
    for (const auto g : which_) batch.push_back(name_of(glyphs_, g, language));
    return model_.text_embedding(model_.text(texts_.batch(batch)));
  }

  rc3::Tokens canonical() const {
    const auto n = static_cast<std::int64_t>(which_.size());
    std::vector<std::int64_t> index(which_.size()), zero(which_.size(), 0);
    for (std::int64_t i = 0; i < n; ++i) index[static_cast<std::size_t>(i)] = i;
    return model_.visual(views_.select(index, zero));
  }

  Model& model_;
  const TextMemory& texts_;
  const emoji::Glyphs& glyphs_;
  const std::vector<std::size_t>& which_;
  const Views& views_;
  at::Tensor images_;
};

/// The mean over @p languages.
inline Score mean(const Scores& scores, const std::vector<std::string>& languages) {
  Score sum;
  const auto add = [&](rc3::task::Recall& to, const rc3::task::Recall& from) {
    const auto n = static_cast<double>(languages.size());
    to.at1 += from.at1 / n;
    to.at5 += from.at5 / n;
    to.at10 += from.at10 / n;
  };
  for (const auto& language : languages) {
    add(sum.to_image, scores.at(language).to_image);
    add(sum.to_text, scores.at(language).to_text);
  }
  return sum;
}

inline std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f", 100 * share);
  return text;
}

inline std::vector<std::string> cells(const std::string& name, const Score& s) {
  return {name,
          percent(s.to_image.at1),
          percent(s.to_image.at5),
          percent(s.to_image.at10),
          percent(s.to_text.at1),
          percent(s.to_text.at5),
          percent(s.to_text.at10)};
}

inline support::Table recall_table(const std::string& first) {
  return support::Table({first, "text>pic R@1", "R@5", "R@10", "pic>text R@1", "R@5", "R@10"});
}

}  // namespace pretrain
