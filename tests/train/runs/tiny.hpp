#pragma once
/// A small run that has everything a large one has: dropout, two objectives, a queue of negatives, an average of the
/// weights, a loader with threads, checkpoints.

#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rc3/data/loader/collate.hpp"
#include "rc3/data/loader/loader.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "rc3/train/run.hpp"

namespace rc3::test::tiny {

/// Tokens are embedded, averaged and mixed; an image is one region.
struct Model : torch::nn::Module {
  Model() {
    // Threads that stand for ranks share LibTorch's generator: between the seed and the draws there must be no other.
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    torch::manual_seed(11);
    words = register_module("words", torch::nn::Embedding(50, 8));
    image = register_module("image", torch::nn::Linear(6, 8));
    mix = register_module("mix", torch::nn::Linear(16, 8));
    score = register_module("score", torch::nn::Linear(8, 1));
    drop = register_module("drop", torch::nn::Dropout(0.1));
  }
  Tokens visual(const Images& p) { return {image->forward(p.regions), p.region_mask}; }
  Tokens text(const Texts& t) { return {drop->forward(words->forward(t.ids)), t.mask}; }
  static at::Tensor mean(const Tokens& t) {
    const auto mask = t.mask.unsqueeze(-1).to(t.values.scalar_type());
    return (t.values * mask).sum(1) / mask.sum(1).clamp_min(1);
  }
  at::Tensor image_embedding(const Tokens& t) { return nn::l2_normalize(mean(t)); }
  at::Tensor text_embedding(const Tokens& t) { return nn::l2_normalize(mean(t)); }
  at::Tensor fuse(const Tokens& v, const Tokens& t) {
    return drop->forward(mix->forward(at::cat({mean(v), mean(t)}, 1)).tanh());
  }
  at::Tensor itm_logits(const at::Tensor& z) { return score->forward(z).squeeze(1); }

  torch::nn::Embedding words{nullptr};
  torch::nn::Linear image{nullptr}, mix{nullptr}, score{nullptr};
  torch::nn::Dropout drop{nullptr};
};

template <class Negatives>
using RXvtcl = objective::RXvtcl<regularizer::Ceiling, relevance::Constant, Negatives>;
using InBatch = objective::negatives::InBatch;
using Queue = objective::negatives::Queue<Model, InBatch>;

template <class Negatives>
auto r_xvtcl(Negatives negatives) {
  return std::make_shared<RXvtcl<Negatives>>(objective::RXvtclOptions{}, regularizer::Ceiling(0.1),
                                             relevance::Constant(0.3), std::move(negatives));
}

/// All that a run may have to remember.
using Trained = Pretrainer<Model, RXvtcl<Queue>, objective::Itc, objective::Itm>;
/// What does not depend on how the samples are dealt to ranks: no dropout, no negatives that a rank draws or keeps.
using Plain = Pretrainer<Model, RXvtcl<InBatch>, objective::Itc>;

template <class T>
std::shared_ptr<T> make() {
  if constexpr (std::is_same_v<T, Plain>) {
    const auto model = std::make_shared<Model>();
    model->drop->options.p(0);
    return std::make_shared<Plain>(model, std::array<double, 2>{1.0, 1.0}, r_xvtcl(InBatch{}),
                                   std::make_shared<objective::Itc>());
  } else {
    return std::make_shared<Trained>(std::make_shared<Model>(), std::array<double, 3>{1.0, 1.0, 0.5},
                                     r_xvtcl(Queue(std::make_shared<Model>(), {.capacity = 40, .momentum = 0.9})),
                                     std::make_shared<objective::Itc>(), std::make_shared<objective::Itm>());
  }
}

/// 60 samples, each a function of its number.
struct Source {
  std::string_view name() const { return "tiny"; }
  std::int64_t size() const { return 60; }
  const data::LanguageCounts& languages() const { return languages_; }
  data::Sample read(std::int64_t i) const {
    data::Sample sample;
    sample.id = std::to_string(i);
    return sample;
  }
  data::LanguageCounts languages_ = {{"en", 60}, {"de", 60}};
};
static_assert(data::Dataset<Source>);

/// Region and texts are drawn from (seed, epoch, id).
struct Prepare {
  data::PreparedSample operator()(const data::Sample& sample, std::uint64_t seed, std::int64_t epoch) const {
    data::PreparedSample out;
    out.image_id = std::stoll(sample.id);
    Random random(seed, static_cast<std::uint64_t>(out.image_id), static_cast<std::uint64_t>(epoch));
    out.regions.width = out.regions.height = 1;
    out.regions.boxes.push_back({0, 0, 1, 1});
    for (int k = 0; k < 6; ++k)
      out.regions.features.push_back(static_cast<float>(std::sin(static_cast<double>(out.image_id * (k + 1)))));
    const auto text = [&](std::int64_t language) {
      std::vector<std::int64_t> ids{0};
      for (std::int64_t k = 0; k < 3; ++k)
        ids.push_back(3 + (out.image_id * 7 + 11 * language + static_cast<std::int64_t>(random.below(3))) % 47);
      ids.push_back(2);
      return ids;
    };
    out.a = text(0);
    out.b = text(1);
    out.caption_a_id = out.image_id;
    out.caption_b_id = 1000 + out.image_id;
    return out;
  }
};

struct Facts {
  std::filesystem::path folder = {};
  std::int64_t steps = 30, every = 7;
  int workers = 2;
  bool asynchronous = true;
  std::int64_t accumulate = 1;
  double ema = 0.9;
  at::Device device = at::kCPU;
};

inline train::Options options(const Facts& facts) {
  return {.optimizer = {.learning_rate = 0.02},
          .schedule = {.warmup = 3, .total = facts.steps},
          .precision = train::Precision::float32,
          .seed = 5,
          .accumulate = facts.accumulate,
          .ema = facts.ema,
          .max_consecutive_skips = 3};
}

/// Trains to the end (or to @p stop_at, as a process that is killed there), going on where the folder says.
/// @return the trainer, with everything it holds
template <class T = Trained, class Comm = Single>
std::shared_ptr<train::Trainer<T, Comm>> train(const Facts& facts, std::ostream& out,
                                               std::shared_ptr<Comm> comm = std::make_shared<Comm>(),
                                               std::int64_t stop_at = -1) {
  const auto trained = make<T>();
  trained->to(facts.device);
  auto trainer = std::make_shared<train::Trainer<T, Comm>>(trained, options(facts), comm);
  train::Run<T, Comm> run(
      *trainer,
      {.checkpoint = {.folder = facts.folder, .every = facts.every, .keep = 2, .asynchronous = facts.asynchronous},
       .log = {.every = 5}},
      out);
  const Source source;
  data::DataErrors errors;
  data::LoaderOptions loading;
  loading.order.seed = 3;
  loading.batch.size = 12;
  loading.batch.ranks = comm->size();
  loading.rank = comm->rank();
  loading.workers = facts.workers;
  data::Loader loader(source, Prepare{}, data::CollateSamples(), errors, loading, nullptr, run.loader_state());
  struct Cut {
    decltype(loader)& all;
    std::int64_t left;
    auto next() { return left-- == 0 ? decltype(all.next()){} : all.next(); }
    auto state() const { return all.state(); }
  } cut{loader, stop_at < 0 ? -1 : (stop_at - trainer->steps()) * facts.accumulate};
  run.train(cut);
  return trainer;
}

/// The largest difference of any tensor of two trainers: weights, moments, averages, what the objectives remember.
template <class A, class B>
double difference(const A& a, const B& b) {
  const auto x = a.snapshot(), y = b.snapshot();
  double worst = 0;
  BOOST_TEST_REQUIRE(x.files.size() == y.files.size());
  for (const auto& [file, tensors] : x.files) {
    BOOST_TEST_REQUIRE(tensors.size() == y.files.at(file).size());
    for (const auto& [name, tensor] : tensors) {
      const auto& other = y.files.at(file).at(name);
      BOOST_TEST_REQUIRE((tensor.sizes() == other.sizes()));
      if (tensor.numel() > 0)
        worst = std::max(
            worst, (tensor.cpu().to(at::kDouble) - other.cpu().to(at::kDouble)).abs().max().template item<double>());
    }
  }
  return worst;
}

}  // namespace rc3::test::tiny
