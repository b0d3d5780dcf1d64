#include <ATen/autocast_mode.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <sstream>

#include "support/support.hpp"
#include "support/thread_communicator.hpp"
#include "train/runs/tiny.hpp"

using namespace rc3::test;
using rc3::train::Precision;

namespace {

/// Says what its forward passes were computed in.
struct Probe : torch::nn::Module {
  Probe() { weight = register_parameter("weight", at::ones({4, 4})); }
  rc3::Losses losses(const rc3::Batch& batch) {
    const auto product = batch.images.regions.matmul(weight);
    computed_in = product.scalar_type();
    const auto loss = product.to(at::kFloat).square().mean();
    return {loss, {loss.item<double>()}};
  }
  template <rc3::Communicator Comm>
  rc3::Losses losses(const rc3::Batch& batch, Comm& comm) {
    return rc3::share_of(losses(batch), comm);
  }
  at::Tensor weight;
  at::ScalarType computed_in = at::kDouble;
};

rc3::Batch batch() {
  rc3::Batch made;
  made.images.regions = at::ones({2, 4});
  made.image_ids = at::arange(2);
  return made;
}

template <class Comm = rc3::Single>
using Trainer = rc3::train::Trainer<Probe, Comm>;

rc3::train::Options with(Precision precision) {
  return {.schedule = {.warmup = 1, .total = 9}, .precision = precision};
}

Precision other_than(Precision p) { return p == Precision::float32 ? Precision::bfloat16 : Precision::float32; }

/// A checkpoint after one step in @p precision, in @p folder.
std::filesystem::path checkpoint_in(Precision precision, const TempDir& folder) {
  std::ostringstream nowhere;
  Trainer<> trainer(std::make_shared<Probe>(), with(precision));
  trainer.step(batch());
  rc3::train::Run<Probe>(trainer, {.checkpoint = {.folder = folder.path(), .asynchronous = false}}, nowhere).save();
  return folder / "step-1";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(train_precision)

BOOST_AUTO_TEST_CASE(all_ranks_compute_in_what_is_fast_on_each) {
  using P = Precision;
  for (const auto& [first, second, all] :
       {std::array{P::bfloat16, P::bfloat16, P::bfloat16}, std::array{P::bfloat16, P::float32, P::float32},
        std::array{P::float32, P::bfloat16, P::float32}, std::array{P::float32, P::float32, P::float32}}) {
    std::array<P, 2> chosen{};
    std::array<at::ScalarType, 2> seen{};
    as_ranks(2, [&, first = first, second = second](ThreadCommunicator& comm) {
      const auto r = static_cast<std::size_t>(comm.rank());
      const auto probe = std::make_shared<Probe>();
      Trainer<ThreadCommunicator> trainer(probe, with(r == 0 ? first : second),
                                          std::make_shared<ThreadCommunicator>(comm));
      chosen[r] = trainer.precision();
      trainer.step(batch());
      seen[r] = probe->computed_in;
    });
    for (const std::size_t r : {0, 1}) {
      BOOST_TEST((chosen[r] == all));
      BOOST_TEST(seen[r] == (all == P::bfloat16 ? at::kBFloat16 : at::kFloat));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_resume_keeps_what_was_measured_where_the_run_began) {
  // As if this machine measured otherwise than the one before.
  const auto measured = rc3::train::resolve(Precision::automatic), before = other_than(measured);
  const TempDir folder;
  const auto checkpoint = checkpoint_in(before, folder);
  const auto state = rc3::io::read_json(checkpoint / "state.json");
  BOOST_TEST(state.at("bfloat16").get<bool>() == (before == Precision::bfloat16));

  const auto probe = std::make_shared<Probe>();
  Trainer<> trainer(probe, with(Precision::automatic));
  BOOST_TEST((trainer.precision() == measured));
  std::ostringstream nowhere;
  const rc3::train::Run<Probe> run(trainer, {.checkpoint = {.folder = folder.path()}}, nowhere);
  BOOST_TEST(run.resumed_at() == 1);
  BOOST_TEST((trainer.precision() == before));
  trainer.step(batch());
  BOOST_TEST(probe->computed_in == (before == Precision::bfloat16 ? at::kBFloat16 : at::kFloat));
  // And the next checkpoint says it again.
  BOOST_TEST((trainer.snapshot().state.bfloat16 == (before == Precision::bfloat16)));

  // Who asks for one gets it.
  Trainer<> told(std::make_shared<Probe>(), with(measured));
  told.restore(checkpoint);
  BOOST_TEST((told.precision() == measured));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_does_not_say_it_is_read_and_one_that_says_nonsense_is_not) {
  const auto measured = rc3::train::resolve(Precision::automatic);
  const TempDir folder;
  const auto checkpoint = checkpoint_in(other_than(measured), folder);
  auto state = rc3::io::read_json(checkpoint / "state.json");
  state["bfloat16"] = "yes";
  rc3::io::write_file(checkpoint / "state.json", state.dump());
  Trainer<> trainer(std::make_shared<Probe>(), with(Precision::automatic));
  throws_with([&] { trainer.restore(checkpoint); }, "state.json: \"bfloat16\" must be true or false");
  BOOST_TEST(trainer.steps() == 0);
  state.erase("bfloat16");
  rc3::io::write_file(checkpoint / "state.json", state.dump());
  trainer.restore(checkpoint);
  BOOST_TEST(trainer.steps() == 1);
  BOOST_TEST((trainer.precision() == measured));
}

BOOST_AUTO_TEST_CASE(batches_are_made_in_the_precision_of_the_run) {
  // Batches of cached features are: their frozen layers run in next().
  struct Source {
    bool bfloat16 = false;
    std::optional<rc3::data::Loaded<rc3::Batch>> next() {
      bfloat16 = at::autocast::is_autocast_enabled(at::kCPU);
      return rc3::data::Loaded<rc3::Batch>{batch(), 0, {0, 1}, 0};
    }
    rc3::data::LoaderState state() const { return {}; }
  };
  for (const auto precision : {Precision::bfloat16, Precision::float32}) {
    std::ostringstream nowhere;
    Trainer<> trainer(std::make_shared<Probe>(), with(precision));
    Source source;
    rc3::train::Run<Probe>(trainer, {}, nowhere).train(source);
    BOOST_TEST(source.bfloat16 == (precision == Precision::bfloat16));
    BOOST_TEST(!at::autocast::is_autocast_enabled(at::kCPU));
  }
}

BOOST_AUTO_TEST_SUITE_END()
