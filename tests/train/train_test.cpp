#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/train/adamw.hpp"
#include "rc3/train/ema.hpp"
#include "rc3/train/freeze.hpp"
#include "rc3/train/precision.hpp"
#include "rc3/train/schedule.hpp"
#include "rc3/train/trainer.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(train)

using namespace rc3::test;
using rc3::train::AdamW;
using rc3::train::AdamWOptions;
using rc3::train::Autocast;
using rc3::train::Precision;
using rc3::train::Schedule;

struct Net : torch::nn::Module {
  Net() {
    torch::manual_seed(1);
    text = register_module("text", torch::nn::Linear(6, 5));
    head = register_module("head", torch::nn::Linear(5, 4));
  }
  at::Tensor loss(int step) {
    torch::manual_seed(100 + static_cast<std::uint64_t>(step));
    const auto x = at::randn({8, 6}), y = at::randn({8, 4});
    return (head->forward(text->forward(x).tanh()) - y).square().sum();
  }
  torch::nn::Linear text{nullptr}, head{nullptr};
};

double distance(const torch::nn::Module& a, const torch::nn::Module& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.parameters().size(); ++i)
    worst = std::max(worst, max_difference(a.parameters()[i], b.parameters()[i]));
  return worst;
}

std::vector<at::Tensor> copies(const torch::nn::Module& m) {
  std::vector<at::Tensor> all;
  for (const auto& p : m.parameters()) all.push_back(p.detach().clone());
  return all;
}

bool unchanged(const torch::nn::Module& m, const std::vector<at::Tensor>& before) {
  for (std::size_t i = 0; i < before.size(); ++i)
    if (!m.parameters()[i].equal(before[i])) return false;
  return true;
}

/// Twenty steps of ours beside twenty of LibTorch's, with a learning rate that changes at every step.
double against_libtorch(double clip) {
  Net ours, theirs;
  const AdamWOptions options{
      .learning_rate = 0.02, .weight_decay = 0.1, .clip = clip, .rates = {{"text.", 0.1}, {"text", 7}}};
  AdamW mine(ours, options);
  // Weights are decayed and biases are not; what is called "text." learns at a tenth; "text" fits it too, but second.
  std::vector<torch::optim::OptimizerParamGroup> groups;
  const auto group = [&](at::Tensor p, double decay) {
    auto o = std::make_unique<torch::optim::AdamWOptions>(0.02);
    o->betas({0.9, 0.98}).eps(1e-8).weight_decay(decay);
    groups.emplace_back(std::vector<at::Tensor>{p}, std::move(o));
  };
  group(theirs.text->weight, 0.1);
  group(theirs.text->bias, 0);
  group(theirs.head->weight, 0.1);
  group(theirs.head->bias, 0);
  torch::optim::AdamW peer(groups, torch::optim::AdamWOptions(0.02));
  double worst = 0, moved = 0;
  const auto start = copies(ours);
  for (int step = 0; step < 20; ++step) {
    const double factor = 1.0 / (1 + step);
    for (std::size_t g = 0; g < 4; ++g)
      static_cast<torch::optim::AdamWOptions&>(peer.param_groups()[g].options()).lr(0.02 * factor * (g < 2 ? 0.1 : 1));
    peer.zero_grad();
    theirs.loss(step).backward();
    const double norm = torch::nn::utils::clip_grad_norm_(theirs.parameters(), clip);
    peer.step();
    ours.loss(step).backward();
    const double seen = mine.step(factor);
    worst = std::max({worst, distance(ours, theirs), std::abs(seen - norm) / norm * 1e-2});
  }
  for (std::size_t i = 0; i < start.size(); ++i)
    moved = std::max(moved, max_difference(start[i], ours.parameters()[i]));
  BOOST_TEST(moved > 0.01);
  return worst;
}

BOOST_AUTO_TEST_CASE(adamw_is_that_of_libtorch) {
  at_most("AdamW against torch::optim::AdamW, 20 steps", against_libtorch(1e9), 1e-6);
  at_most("AdamW with clipping against clip_grad_norm_, 20 steps", against_libtorch(0.5), 1e-6);
}

BOOST_AUTO_TEST_CASE(what_does_not_learn_is_left_alone) {
  Net net;
  net.head->weight.set_requires_grad(false);
  AdamW optimizer(net, {.learning_rate = 0.1});
  net.head->weight.set_requires_grad(true);  // too late: the optimizer has its parameters
  const auto before = copies(net);
  net.loss(0).backward();
  net.text->bias.mutable_grad() = at::Tensor();  // no gradient in this step
  optimizer.step(1);
  BOOST_TEST(net.head->weight.equal(before[2]));
  BOOST_TEST(net.text->bias.equal(before[1]));
  BOOST_TEST(!net.text->weight.equal(before[0]));
  BOOST_TEST(!net.text->weight.grad().defined());  // the step took the gradients
  Net frozen;
  for (auto& p : frozen.parameters()) p.set_requires_grad(false);
  throws_with([&] { AdamW(frozen, {}); }, "train::AdamW", "no parameter");
}

BOOST_AUTO_TEST_CASE(a_parameter_that_hangs_in_the_tree_twice_learns_once) {
  struct Twice : torch::nn::Module {
    Twice() {
      net = register_module("net", std::make_shared<Net>());
      again = register_module("again", net);
    }
    std::shared_ptr<Net> net, again;
  };
  Net once;
  Twice twice;
  AdamW first(once, {}), second(twice, {});
  for (int step = 0; step < 3; ++step) {
    once.loss(step).backward();
    twice.net->loss(step).backward();
    BOOST_TEST(first.step(1) == second.step(1));
  }
  BOOST_TEST(distance(once, *twice.net) == 0);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_no_number_changes_nothing) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Net spoilt, clean;
    AdamW a(spoilt, {}), b(clean, {});
    spoilt.loss(0).backward();
    clean.loss(0).backward();
    a.step(1);
    b.step(1);
    const auto before = copies(spoilt);
    spoilt.loss(1).backward();
    spoilt.head->bias.mutable_grad()[2] = bad;
    BOOST_TEST(!std::isfinite(a.step(1)));
    BOOST_TEST(unchanged(spoilt, before));
    // The moments did not take it in either: the next step is that of an optimizer that never saw it.
    spoilt.loss(2).backward();
    clean.loss(2).backward();
    a.step(1);
    b.step(1);
    BOOST_TEST(distance(spoilt, clean) == 0);
  }
}

BOOST_AUTO_TEST_CASE(schedule_by_hand) {
  const Schedule s{.warmup = 4, .total = 12, .floor = 0.2};
  const double pi = std::acos(-1.0);
  const std::pair<std::int64_t, double> expected[] = {
      {0, 0.25}, {1, 0.5},  {3, 1.0},  {4, 1.0}, {6, 0.2 + 0.8 * 0.5 * (1 + std::cos(pi / 4))},
      {8, 0.6},  {12, 0.2}, {500, 0.2}};
  for (const auto& [step, factor] : expected)
    at_most(rc3::join("Schedule at step ", step, ", from ", factor), std::abs(s.factor(step) - factor), 1e-12);
  BOOST_TEST((Schedule{.warmup = 0, .total = 10}.factor(0)) == 1.0);
  BOOST_TEST((Schedule{.warmup = 10, .total = 10}.factor(9)) == 1.0);
  BOOST_TEST((Schedule{.warmup = 10, .total = 10}.factor(11)) == 0.0);
}

BOOST_AUTO_TEST_CASE(schedules_come_down_as_they_are_told) {
  const auto with = [](rc3::train::Decay decay) {
    return Schedule{.warmup = 4, .total = 12, .floor = 0.2, .decay = decay};
  };
  for (const std::int64_t step : {0, 1, 3}) {
    BOOST_TEST(with(rc3::train::Decay::linear).factor(step) == 0.25 * static_cast<double>(step + 1));
    BOOST_TEST(with(rc3::train::Decay::constant).factor(step) == 0.25 * static_cast<double>(step + 1));
  }
  for (const auto& [step, factor] : {std::pair{4, 1.0}, {6, 0.8}, {8, 0.6}, {12, 0.2}, {100, 0.2}}) {
    at_most("linear decay", std::abs(with(rc3::train::Decay::linear).factor(step) - factor), 1e-12);
    BOOST_TEST(with(rc3::train::Decay::constant).factor(step) == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(names_fit_patterns) {
  using rc3::train::fits;
  for (const auto& [name, pattern] : {std::pair{"text.word", "text.*"},
                                      {"text.word", "*word"},
                                      {"text.word", "*"},
                                      {"text.word", "text.word"},
                                      {"a.b.c.b.d", "a.*b.d"},
                                      {"abc", "a**c"},
                                      {"ac", "a*c"}})
    BOOST_TEST(fits(name, pattern), name << ' ' << pattern);
  for (const auto& [name, pattern] :
       {std::pair{"text.word", "text"}, {"text.word", "word*"}, {"abc", "a*b"}, {"", "a"}, {"a", ""}})
    BOOST_TEST(!fits(name, pattern), name << ' ' << pattern);
}

BOOST_AUTO_TEST_CASE(what_is_frozen_does_not_move) {
  auto net = std::make_shared<Net>();
  rc3::train::freeze(*net, {"text.*"});
  const auto before = copies(*net);
  AdamW optimizer(*net, {.learning_rate = 0.1});
  net->loss(0).backward();
  optimizer.step(1);
  BOOST_TEST(net->text->weight.equal(before[0]));
  BOOST_TEST(!net->head->weight.equal(before[2]));
  throws_with(
      [&] {
        rc3::train::freeze(*net, {"head.*", "txet.*"});
      },
      "no parameter has a name that fits \"txet.*\"", "text.weight");
}

BOOST_AUTO_TEST_CASE(the_average_of_the_weights_by_hand) {
  auto net = std::make_shared<Net>();
  rc3::train::Ema ema(*net, 0.5);
  auto expected = net->head->weight.detach().to(at::kDouble).clone();
  for (std::int64_t step = 0; step < 12; ++step) {
    {
      c10::NoGradGuard no_grad;
      net->head->weight.add_(0.1 * static_cast<double>(step));
    }
    ema.update(step);
    const double decay = std::min(0.5, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    expected = decay * expected + (1 - decay) * net->head->weight.detach().to(at::kDouble);
  }
  at_most("Ema against its formula", max_difference(ema.state().at("head.weight").to(at::kDouble), expected), 1e-6);
  const auto weights = net->head->weight.detach().clone();
  {
    const rc3::train::Ema::Applied applied(ema);
    at_most("the average is in the module", max_difference(net->head->weight.to(at::kDouble), expected), 1e-6);
  }
  BOOST_TEST(net->head->weight.equal(weights));
}

/// FakeModel with something to learn: a linear map of the images to where the texts lie.
struct Learner : torch::nn::Module {
  Learner() {
    torch::manual_seed(3);
    map = register_module("map", torch::nn::Linear(4, 4));
    map->to(at::kDouble);
  }
  rc3::Tokens visual(const rc3::Images& p) {
    return {map->forward(p.regions), at::ones({p.regions.size(0), p.regions.size(1)}, at::kBool)};
  }
  rc3::Tokens text(const rc3::Texts& texts) { return {texts.hidden, texts.mask}; }
  at::Tensor image_embedding(const rc3::Tokens& t) { return rc3::nn::l2_normalize(t.values.mean(1)); }
  at::Tensor text_embedding(const rc3::Tokens& t) { return rc3::nn::l2_normalize(t.values.mean(1)); }
  torch::nn::Linear map{nullptr};
};

using Trained = rc3::Pretrainer<Learner, rc3::objective::Itc>;

std::shared_ptr<Trained> trained() {
  const std::array<double, 1> weights{1.0};
  return std::make_shared<Trained>(std::make_shared<Learner>(), weights, std::make_shared<rc3::objective::Itc>());
}

rc3::Batch to_overfit() {
  auto batch = fake_batch(6, 4);
  torch::manual_seed(4);
  // Texts that are a linear map of the images: there is a perfect answer.
  batch.a.hidden = batch.b.hidden = batch.images.regions.detach().matmul(at::randn({4, 4}, at::kDouble));
  batch.images.regions = batch.images.regions.detach();
  return batch;
}

rc3::train::Options options(std::int64_t steps) {
  return {
      .optimizer = {.learning_rate = 0.05}, .schedule = {.warmup = 5, .total = steps}, .precision = Precision::float32};
}

BOOST_AUTO_TEST_CASE(accumulated_batches_are_one_large_batch) {
  const auto batch = to_overfit();
  const auto once = trained(), twice = trained();
  auto o = options(50);
  rc3::train::Trainer<Trained> one(once, o);
  o.accumulate = 2;
  rc3::train::Trainer<Trained> two(twice, o);
  const std::vector<rc3::Batch> both{batch, batch};
  for (int step = 0; step < 3; ++step) {
    const auto a = one.step(batch), b = two.step(both);
    at_most("loss of a batch, and of it twice", std::abs(a.loss - b.loss), 1e-12);
    at_most("norm of the gradient", std::abs(a.gradient_norm - b.gradient_norm), 1e-12);
    BOOST_TEST(b.samples == 12);
  }
  at_most("weights", distance(*once, *twice), 1e-12);
  throws_with([&] { two.step(batch); }, "a step takes 2 batches", "got 1");
  o.precision = Precision::int8;
  throws_with([&] { rc3::train::Trainer<Trained>(trained(), o); }, "options.precision", "int8", "float32");
}

BOOST_AUTO_TEST_CASE(training_lowers_the_loss) {
  const auto t = trained();
  rc3::train::Trainer<Trained> trainer(t, options(150));
  const auto batch = to_overfit();
  const double first = trainer.step(batch).loss;
  rc3::train::StepReport last;
  for (int step = 1; step < 150; ++step) last = trainer.step(batch);
  at_most(rc3::join("loss after 150 steps; it began as ", first), last.loss, 0.2 * first);
  BOOST_TEST(last.parts.size() == 1u);
  BOOST_TEST(last.gradient_norm > 0);
  BOOST_TEST(!last.skipped);
  BOOST_TEST(trainer.steps() == 150);
  BOOST_TEST(t->is_training());
}

BOOST_AUTO_TEST_CASE(a_step_with_nan_is_skipped_and_said) {
  const auto t = trained();
  rc3::train::Trainer<Trained> trainer(t, options(50));
  const auto batch = to_overfit();
  trainer.step(batch);
  const auto before = copies(*t);
  auto bad = batch;
  bad.images.regions = batch.images.regions.clone();
  bad.images.regions[2][0][1] = std::nan("");
  const auto report = trainer.step(bad);
  BOOST_TEST(report.skipped);
  BOOST_TEST(std::isnan(report.loss));
  BOOST_TEST(unchanged(*t, before));
  BOOST_TEST(!trainer.step(batch).skipped);
  BOOST_TEST(!unchanged(*t, before));
}

bool autocasts() { return at::autocast::is_autocast_enabled(at::kCPU); }

BOOST_AUTO_TEST_CASE(autocast_lasts_as_long_as_its_object) {
  const auto product = [] { return at::ones({2, 2}).matmul(at::ones({2, 2})).scalar_type(); };
  {
    const Autocast outer(Precision::bfloat16);
    BOOST_TEST(autocasts());
    BOOST_TEST((product() == at::kBFloat16));
    { const Autocast inner(Precision::bfloat16); }
    BOOST_TEST(autocasts());
  }
  BOOST_TEST(!autocasts());
  BOOST_TEST((product() == at::kFloat));
  {
    const Autocast none(Precision::float32);
    BOOST_TEST(!autocasts());
  }
  try {
    const Autocast thrown(Precision::bfloat16);
    rc3::fail("on purpose");
  } catch (const rc3::Error&) {
  }
  BOOST_TEST(!autocasts());
  at::autocast::set_autocast_dtype(at::kCPU, at::kHalf);  // the program's own choice
  { const Autocast ours(Precision::bfloat16); }
  BOOST_TEST((at::autocast::get_autocast_dtype(at::kCPU) == at::kHalf));
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
}

BOOST_AUTO_TEST_CASE(automatic_precision_is_one_of_the_two) {
  const auto chosen = rc3::train::resolve(Precision::automatic);
  BOOST_TEST((chosen == Precision::float32 || chosen == Precision::bfloat16));
  BOOST_TEST((rc3::train::resolve(Precision::automatic) == chosen));
  BOOST_TEST((rc3::train::resolve(Precision::bfloat16) == Precision::bfloat16));
}

BOOST_AUTO_TEST_SUITE_END()
