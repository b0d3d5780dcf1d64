#pragma once
/// Measures of the study: retrieval, entailment, and what the regularizer does to z.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/corrcoef.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/pdist.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/optim/lbfgs.h>
#include <rc3/experiment/tasks/translate.hpp>
#include <rc3/features/features.hpp>
#include <rc3/metric/metric.hpp>
#include <rc3/task/task.hpp>
#include <rc3/train/fine_tune.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "results.hpp"

namespace study {

using rc3::features::CachedSamples;
using rc3::features::TextOf;

/// Three decimals: enough for percent.
inline double rounded(double x) { return std::round(x * 1e5) / 1e5; }

inline Json json_of(const rc3::task::Recall& r) { return {rounded(r.at1), rounded(r.at5), rounded(r.at10)}; }

/// Recall by the embeddings in each language.
template <class Model>
Json retrieval(Model& model, CachedSamples& samples, const std::vector<std::string>& languages) {
  Json all = Json::object();
  for (const auto& r : rc3::task::RetrievalEvaluation(model, samples, {.languages = languages}).recall())
    all[r.language] = {
        {"images", r.images}, {"texts", r.texts}, {"to_image", json_of(r.to_image)}, {"to_text", json_of(r.to_text)}};
  return all;
}

/// Text to image in each language, before and after ITM re-ranks the best @p top, for some texts.
template <class Model>
Json reranking(Model& model, CachedSamples& samples, const std::vector<std::string>& languages, std::int64_t texts,
               std::int64_t top) {
  rc3::task::RetrievalOptions options{.languages = languages, .max_texts = texts};
  const rc3::task::RetrievalEvaluation before(model, samples, options);
  options.rerank = top;
  const rc3::task::RetrievalEvaluation after(model, samples, options);
  Json all = Json::object();
  for (const auto& language : languages) {
    const auto ranks = before.image_ranks(language), reranked = after.image_ranks(language);
    all[language] = {{"texts", ranks.size(0)},
                     {"before", json_of(rc3::task::recall(ranks))},
                     {"after", json_of(rc3::task::recall(reranked))}};
  }
  return all;
}

namespace detail {

/// Rows of @p encode(part), batch by batch, of norm 1. @return float [n, D], on the CPU
template <class Encode>
at::Tensor unit_rows(const std::vector<TextOf>& which, const Encode& encode) {
  c10::InferenceMode inference;
  std::vector<at::Tensor> all;
  for (std::size_t begin = 0; begin < which.size(); begin += 128) {
    const auto part = std::span(which).subspan(begin, std::min<std::size_t>(128, which.size() - begin));
    all.push_back(rc3::nn::l2_normalize(encode(part)).to(at::kFloat).cpu());
  }
  return at::cat(all);
}

/// Unit-norm z of each image with each text. @return float [n, D]
template <class Model>
at::Tensor fused(Model& model, CachedSamples& samples, const std::vector<TextOf>& which) {
  const auto device = rc3::nn::device_of(model);
  return unit_rows(which, [&](std::span<const TextOf> part) {
    std::vector<std::int64_t> numbers;
    for (const auto& t : part) numbers.push_back(t.sample);
    return model.fuse(model.visual(samples.images(numbers).to(device)),
                      model.text(samples.texts(model, part).to(device)));
  });
}

/// Unit-norm pooled states of the texts alone.
template <class Model>
at::Tensor pooled(Model& model, CachedSamples& samples, const std::vector<TextOf>& which) {
  auto& text = *model.text_policy();
  return unit_rows(which, [&](std::span<const TextOf> part) {
    return text.pool(text.encode(samples.texts(model, part).to(rc3::nn::device_of(model))));
  });
}

/// Pearson's correlation of two vectors.
inline double correlation(const at::Tensor& x, const at::Tensor& y) {
  return rounded(at::corrcoef(at::stack({x.to(at::kDouble), y.to(at::kDouble)}))[0][1].item<double>());
}

/// One strict and one weak pair of texts of each of at most @p count samples, in two languages.
inline std::vector<rc3::features::PairOf> pairs(const CachedSamples& samples, double strict_share, std::int64_t count) {
  rc3::data::PairingOptions options;
  options.strict_share = strict_share;
  const rc3::data::Pairing pairing(samples.languages(), options);
  std::vector<rc3::features::PairOf> all;
  for (const auto i : rc3::features::detail::spread(samples.size(), count)) {
    rc3::Random random(7, static_cast<std::uint64_t>(rc3::data::text_id(samples.sample(i).id)));
    const auto pair = pairing.pair(samples.sample(i), random);
    if (pair && pair->strict == (strict_share == 1)) all.push_back({i, *pair});
  }
  return all;
}

/// Texts a, then texts b.
inline std::pair<std::vector<TextOf>, std::vector<TextOf>> sides(const std::vector<rc3::features::PairOf>& pairs) {
  std::pair<std::vector<TextOf>, std::vector<TextOf>> both;
  for (const auto& p : pairs) {
    both.first.push_back({p.sample, p.texts.a});
    both.second.push_back({p.sample, p.texts.b});
  }
  return both;
}

}  // namespace detail

/// What z is like: cosines of strict and weak pairs and their correlation with relevance, whether z tells which of an
/// image's captions it was made with, alignment and uniformity.
/// @param relevance  a calibrated relevance::Encoder
/// @param count      samples that are used at most
template <class Model, class Relevance>
Json mechanism(Model& model, Relevance& relevance, CachedSamples& samples, std::int64_t count) {
  c10::InferenceMode inference;
  std::vector<at::Tensor> cosines, rho;
  Json out = Json::object();
  for (const double share : {1.0, 0.0}) {
    const auto some = detail::pairs(samples, share, count);
    if (some.empty()) continue;
    const auto [a, b] = detail::sides(some);
    const auto za = detail::fused(model, samples, a), zb = detail::fused(model, samples, b);
    cosines.push_back((za * zb).sum(1));
    const auto cosine_of_texts = (detail::pooled(model, samples, a) * detail::pooled(model, samples, b)).sum(1);
    rho.push_back(((cosine_of_texts - relevance.low()) / (relevance.high() - relevance.low())).clamp(0, 1));
    const std::string kind = share == 1 ? "strict" : "weak";
    out[kind] = {{"pairs", za.size(0)},
                 {"cosine", rounded(cosines.back().mean().item<double>())},
                 {"relevance", rounded(rho.back().mean().item<double>())},
                 {"correlation", detail::correlation(cosines.back(), rho.back())}};
    if (share == 1) {
      // Source: Wang and Isola 2020. One z an image, so that all pairs have different images.
      out["alignment"] = rounded((za - zb).square().sum(1).mean().template item<double>());
      out["uniformity"] = rounded(at::pdist(za, 2).square().mul(-2).exp().mean().log().template item<double>());
    }
  }
  if (cosines.size() == 2) out["correlation"] = detail::correlation(at::cat(cosines), at::cat(rho));

  // Each text b of an image searches its translation among the image's texts in the other language.
  std::vector<TextOf> queries, candidates;
  std::vector<std::pair<std::int64_t, std::int64_t>> range;  // of the candidates of each query
  std::vector<std::int64_t> target;
  for (const auto& pair : detail::pairs(samples, 1.0, count)) {
    const auto& texts = samples.sample(pair.sample).texts;
    const auto first = static_cast<std::int64_t>(candidates.size());
    std::int64_t right = -1;
    std::set<std::int64_t> groups;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      if (texts[t].language != texts[pair.texts.a].language) continue;
      if (texts[t].group == texts[pair.texts.a].group) right = static_cast<std::int64_t>(candidates.size());
      candidates.push_back({pair.sample, t});
    }
    if (static_cast<std::int64_t>(candidates.size()) - first < 2) {
      candidates.resize(static_cast<std::size_t>(first));
      continue;
    }
    queries.push_back({pair.sample, pair.texts.b});
    range.emplace_back(first, static_cast<std::int64_t>(candidates.size()));
    target.push_back(right);
  }
  const auto identified = [&](const at::Tensor& q, const at::Tensor& c) {
    double right = 0;
    for (std::size_t i = 0; i < range.size(); ++i) {
      const auto [begin, end] = range[i];
      const auto best = c.narrow(0, begin, end - begin)
                            .matmul(q[static_cast<std::int64_t>(i)])
                            .argmax()
                            .template item<std::int64_t>();
      right += begin + best == target[i];
    }
    return rounded(right / static_cast<double>(range.size()));
  };
  if (!queries.empty()) {
    double chance = 0;
    for (const auto& [begin, end] : range) chance += 1.0 / static_cast<double>(end - begin);
    out["caption"] = {
        {"queries", queries.size()},
        {"by_z", identified(detail::fused(model, samples, queries), detail::fused(model, samples, candidates))},
        {"by_text", identified(detail::pooled(model, samples, queries), detail::pooled(model, samples, candidates))},
        {"chance", rounded(chance / static_cast<double>(range.size()))}};
  }
  return out;
}

/// Examples to tune a head on, and those to measure it on.
struct TaskSets {
  const rc3::task::CachedExamples* train = nullptr;
  std::vector<const rc3::task::CachedExamples*> evaluation;
};

struct TuningOptions {
  std::int64_t steps = 250, batch = 32;
  double learning_rate = 6e-4;
  std::uint64_t seed = 1;
};

/// Tunes @p head together with the fusion encoder, which changes. The last weights stay: nothing is chosen on the
/// examples that are measured.
template <class Head>
void tune_head(const std::shared_ptr<Head>& head, const rc3::task::CachedExamples& train, const TuningOptions& o,
               const char* label) {
  rc3::train::FineTuneOptions tune;
  tune.train.optimizer.learning_rate = o.learning_rate;
  tune.train.optimizer.weight_decay = 0.05;
  tune.train.schedule = {o.steps / 10, o.steps, 0.0};
  tune.train.seed = o.seed;
  tune.every = o.steps;
  tune.label = label;
  std::ostringstream log;
  rc3::train::fine_tune(
      head, rc3::task::CachedBatches(train, o.batch, o.seed), [] { return 0.0; }, tune, log);
}

namespace detail {

/// Accuracy, and for each example whether its answer is right. @param right  bool [n]
inline Json accuracy_of(const at::Tensor& right) {
  std::string each;
  for (std::int64_t i = 0; i < right.size(0); ++i) each += right[i].item<bool>() ? '1' : '0';
  return {{"accuracy", rounded(right.to(at::kDouble).mean().item<double>())}, {"right", each}};
}

inline at::Tensor labels_of(const rc3::task::CachedExamples& examples) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < examples.size(); ++i) all.push_back(examples.label(i));
  return at::tensor(all, at::kLong);
}

}  // namespace detail

/// Accuracy of logistic regression on frozen z: what z contains without tuning. Nothing is drawn, and the model stays
/// as it is.
template <class Model>
Json entailment_probe(Model& model, const TaskSets& sets, const std::vector<rc3::task::Ablation>& ablations) {
  const auto z_of = [&](const rc3::task::CachedExamples& examples, rc3::task::Ablation ablation) {
    std::vector<at::Tensor> all;
    rc3::task::for_each_batch(model, examples, ablation, 64, [&](const rc3::task::ExampleBatch& batch) {
      all.push_back(model.fuse(model.visual(batch.images), model.text(batch.texts)).to(at::kFloat).cpu());
    });
    return at::cat(all);
  };
  const auto z = z_of(*sets.train, rc3::task::Ablation::none);
  const auto mean = z.mean(0), deviation = z.std(0).clamp_min(1e-6);
  const auto x = (z - mean) / deviation, labels = detail::labels_of(*sets.train);
  auto weight = at::zeros({z.size(1), 3}).requires_grad_(), bias = at::zeros({3}).requires_grad_();
  torch::optim::LBFGS optimizer({weight, bias},
                                torch::optim::LBFGSOptions().max_iter(200).line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const auto loss = at::cross_entropy_loss(x.matmul(weight) + bias, labels) + 0.005 * weight.square().sum();
    loss.backward();
    return loss;
  });
  c10::NoGradGuard no_grad;
  const auto& examples = *sets.evaluation.at(0);
  Json out = Json::object();
  for (const auto ablation : ablations) {
    const auto logits = (z_of(examples, ablation) - mean).div(deviation).matmul(weight) + bias;
    out[std::string(rc3::task::name_of(ablation))] =
        detail::accuracy_of(logits.argmax(1).eq(detail::labels_of(examples)));
  }
  return out;
}

/// Accuracy of a head on z alone.
template <class Model>
Json entailment(const std::shared_ptr<Model>& model, const TaskSets& sets, const TuningOptions& o,
                const std::vector<rc3::task::Ablation>& ablations) {
  using Head = rc3::task::Classifier<Model>;
  at::manual_seed(o.seed);
  const auto head = std::make_shared<Head>(model, rc3::task::ClassifierOptions{.classes = 3, .embeddings = false});
  tune_head(head, *sets.train, o, "entailment");
  const auto& examples = *sets.evaluation.at(0);
  Json out = Json::object();
  for (const auto ablation : ablations) {
    const auto answers = rc3::task::classify(*head, examples, ablation);
    out[std::string(rc3::task::name_of(ablation))] =
        detail::accuracy_of(at::tensor(answers, at::kLong).eq(detail::labels_of(examples)));
  }
  return out;
}

/// BLEU and chrF of a new decoder over the fused tokens, in each target language.
template <class Model>
Json translation(const std::shared_ptr<Model>& model, const TaskSets& sets, const rc3::task::Vocabulary& vocabulary,
                 const TuningOptions& o, const std::vector<rc3::task::Ablation>& ablations) {
  at::manual_seed(o.seed);
  const auto head = rc3::experiment::make_translator(model, vocabulary);
  tune_head(head, *sets.train, o, "translation");
  Json out = Json::object();
  for (const auto ablation : ablations) {
    auto& scores = out[std::string(rc3::task::name_of(ablation))];
    for (const auto* examples : sets.evaluation)
      for (const auto& [language, pair] : rc3::experiment::hypotheses_of(*head, *examples, vocabulary, ablation)) {
        const auto& [hypotheses, references] = pair;
        scores[language] = {
            {"texts", references.size()},
            {"bleu", rounded(rc3::metric::bleu(hypotheses, references, rc3::metric::bleu_options(language)).score)},
            {"chrf", rounded(rc3::metric::chrf(hypotheses, references).score)}};
      }
  }
  return out;
}

}  // namespace study
