#include "rc3/train/fine_tune.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <torch/nn/modules/batchnorm.h>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <optional>
#include <sstream>
#include <vector>

#include "support/support.hpp"
#include "support/thread_communicator.hpp"

BOOST_AUTO_TEST_SUITE(train_fine_tune)

using namespace rc3;
using test::throws_with;
using train::BestEvaluation;

namespace {

struct Numbers {
  at::Tensor x;  ///< [B, 2]
  std::int64_t size() const { return x.size(0); }
  std::int64_t tokens() const { return 0; }
  Numbers select(const at::Tensor& index) const { return {x.index_select(0, index)}; }
};

/// Something that learns, something frozen, buffers that training changes: a mean, and a count.
struct Head : torch::nn::Module {
  using Batch = Numbers;
  Head() {
    learns = register_parameter("learns", at::full({2}, 1.0));
    frozen = register_parameter("frozen", at::full({2}, 3.0));
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
  }
  at::Tensor answer(const at::Tensor& x) { return (norm->forward(x) * learns + frozen).sum(1); }
  Losses losses(const Batch& batch) {
    const auto loss = answer(batch.x).square().mean();
    return {loss, {loss.item<double>()}};
  }
  template <Communicator Comm>
  Losses losses(const Batch& batch, Comm& comm) {
    return share_of(losses(batch), comm);
  }
  at::Tensor learns, frozen;
  torch::nn::BatchNorm1d norm{nullptr};
};

/// Batches that are never alike.
struct Batches {
  using Given = data::Loaded<Numbers>;
  std::int64_t at = 0;
  std::optional<Given> next() {
    ++at;
    return Given{{at::arange(8, at::kFloat).view({4, 2}).sin() + static_cast<double>(at)}, 0, {}, 0};
  }
  data::LoaderState state() const { return {1, 0, at}; }
};

/// How a tuning went whose validation says @p measures, one after the other, at steps 2, 4, 6, 8 and 9.
struct Run {
  std::shared_ptr<Head> head = std::make_shared<Head>();
  std::vector<StateDict> seen = {};  ///< the head's state at each look
  bool always_eval = true;
  BestEvaluation tuned = {};

  explicit Run(const std::vector<double>& measures, double ema = 0) {
    train::FineTuneOptions options;
    options.train.optimizer.learning_rate = 0.1;
    options.train.schedule = {.warmup = 0, .total = 9};
    options.train.precision = train::Precision::float32;
    options.train.freeze = {"frozen"};
    options.train.ema = ema;
    options.every = 2;
    std::ostringstream nowhere;
    const auto validate = [&] {
      always_eval &= !head->is_training() && !head->norm->is_training();
      seen.push_back(train::copy_of(nn::named_state(*head)));
      return measures.at(seen.size() - 1);
    };
    tuned = train::fine_tune(head, Batches{}, validate, options, nowhere);
  }

  /// The looks whose state the head has now.
  std::vector<std::size_t> now() const {
    std::vector<std::size_t> same;
    const auto state = nn::named_state(*head);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      bool equal = true;
      for (const auto& [name, tensor] : state) equal &= tensor.equal(seen[i].at(name));
      if (equal) same.push_back(i);
    }
    return same;
  }
};

void restores(const Run& run, std::size_t ablation, std::int64_t step, double measure) {
  BOOST_TEST(run.seen.size() == 5u);
  BOOST_TEST(run.now() == std::vector<std::size_t>{ablation}, boost::test_tools::per_element());
  BOOST_TEST(run.tuned.step == step);
  BOOST_TEST(run.tuned.metric == measure);
  BOOST_TEST(run.always_eval);
  BOOST_TEST(!run.head->is_training());
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_best_on_validation_is_restored_with_its_buffers_and_not_the_last) {
  restores(Run({0.2, 0.7, 0.6, 0.5, 0.4}), 1, 4, 0.7);
  restores(Run({-4, -3, -2.5, -2.75, -3}), 2, 6, -2.5);  // minus a loss
  restores(Run({0.1, 0.2, 0.3, 0.4, 0.5}), 4, 9, 0.5);   // the last step is looked at whatever `every` says
}

BOOST_AUTO_TEST_CASE(of_equal_ones_the_earlier_stays) {
  restores(Run({0.2, 0.7, 0.7, 0.5, 0.7}), 1, 4, 0.7);
  restores(Run({0, 0, 0, 0, 0}), 0, 2, 0);
}

BOOST_AUTO_TEST_CASE(what_is_frozen_stays_and_is_not_copied) {
  const Run run({0.2, 0.7, 0.6, 0.5, 0.4});
  BOOST_TEST(run.head->frozen.equal(at::full({2}, 3.0)));
  BOOST_TEST(!run.head->frozen.requires_grad());
  std::vector<std::string> names;
  for (const auto& [name, tensor] : train::learned_state(*run.head)) names.push_back(name);
  BOOST_TEST(names == (std::vector<std::string>{"learns", "norm.bias", "norm.num_batches_tracked", "norm.running_mean",
                                                "norm.running_var", "norm.weight"}),
             boost::test_tools::per_element());
  BOOST_TEST(nn::named_state(*run.head).at("norm.num_batches_tracked").item<std::int64_t>() == 4);
}

BOOST_AUTO_TEST_CASE(the_average_of_the_weights_is_what_is_validated_and_restored) {
  const Run plain({0.2, 0.7, 0.6, 0.5, 0.4}), averaged({0.2, 0.7, 0.6, 0.5, 0.4}, 0.9);
  restores(averaged, 1, 4, 0.7);
  BOOST_TEST(!averaged.head->learns.equal(plain.head->learns));
}

BOOST_AUTO_TEST_CASE(a_measure_that_is_no_number_ends_the_tuning) {
  throws_with([] { Run({0.2, std::nan(""), 0.6, 0.5, 0.4}); }, "after step 4 is not a number");
}

BOOST_AUTO_TEST_CASE(what_rank_0_measures_decides_for_all) {
  const std::vector<double> measures[] = {{0.2, 0.7, 0.6, 0.5, 0.4}, {0.9, 0, 0, 0, 0.8}};
  std::shared_ptr<Head> heads[] = {std::make_shared<Head>(), std::make_shared<Head>()};
  BestEvaluation tuned[2];
  test::as_ranks(2, [&](test::ThreadCommunicator& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    train::FineTuneOptions options;
    options.train.optimizer.learning_rate = 0.1;
    options.train.schedule = {.warmup = 0, .total = 9};
    options.train.precision = train::Precision::float32;
    options.every = 2;
    Batches batches{.at = 10 * ranks.rank()};
    std::size_t looks = 0;
    std::ostringstream nowhere;
    tuned[rank] = train::fine_tune(
        heads[rank], batches, [&] { return measures[rank].at(looks++); }, options, nowhere,
        std::make_shared<test::ThreadCommunicator>(ranks));
  });
  for (const auto& one : tuned) {
    BOOST_TEST(one.step == 4);
    BOOST_TEST(one.metric == 0.7);
  }
  BOOST_TEST(heads[0]->learns.equal(heads[1]->learns));
  BOOST_TEST(!heads[0]->learns.equal(at::full({2}, 1.0)));
}

BOOST_AUTO_TEST_SUITE_END()
