#include "rc3/train/device.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/core/nn/device.hpp"
#include "rc3/model/gradient_cache.hpp"
#include "rc3/task/task.hpp"
#include "rc3/train/trainer.hpp"
#include "support/everything.hpp"
#include "support/other_device.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"
#include "task/toy.hpp"
#include "task/toy_examples.hpp"
#include "train/runs/tiny.hpp"
#ifdef RC3_HAS_GLOO
#include "rc3/train/c10d.hpp"
#include "train/ranks/start.hpp"
#endif

// Everything that is trained or evaluated does the same on a device whose memory the CPU cannot read. No GPU is needed,
// and none is tested: see support/other_device.hpp.
using namespace rc3;
using namespace rc3::test;

namespace {

/// A head on @p device, from the same numbers each time.
template <class Make>
auto on(const at::Device& device, const Make& make) {
  torch::manual_seed(3);
  auto head = make();
  head->to(device);
  return head;
}

/// The largest difference of any parameter of two heads that learn from @p batch for three steps, one on each device.
template <class Make, class Batch>
double after_training(const Make& make, const Batch& batch) {
  std::vector<std::map<std::string, at::Tensor>> weights;
  for (const auto& device : {at::Device(at::kCPU), other_device}) {
    const auto head = on(device, make);
    using Head = std::remove_cvref_t<decltype(*head)>;
    train::Trainer<Head> trainer(head, {.optimizer = {.learning_rate = 0.02, .clip = 0.1},
                                        .schedule = {.warmup = 0, .total = 3},
                                        .precision = train::Precision::float32,
                                        .ema = 0.9});
    BOOST_TEST((trainer.device() == device));
    for (int step = 0; step < 3; ++step) BOOST_TEST(!trainer.step(batch).skipped);
    for (const auto& p : head->parameters()) BOOST_TEST((p.device() == device));
    weights.push_back(nn::named_state(*head));
  }
  double worst = 0;
  for (const auto& [name, tensor] : weights[0]) worst = std::max(worst, max_difference(tensor, weights[1][name].cpu()));
  return worst;
}

task::ExampleBatch named(task::ExampleBatch batch) {
  batch.image_ids = at::arange(batch.size());
  batch.text_ids = at::arange(batch.size());
  return batch;
}

std::shared_ptr<fusion::Decoder> decoder() {
  return std::make_shared<fusion::Decoder>(
      fusion::DecoderOptions{.vocabulary = 9, .width = 4, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 10});
}

/// Two texts: language 2 with two words, language 3 with one.
task::ExampleBatch translations() {
  auto batch = toy_batch(2, false);
  batch.targets = {at::tensor({2, 5, 7, 0, 3, 8, 0, 1}, at::kLong).view({2, 4}),
                   at::tensor({1, 1, 1, 1, 1, 1, 1, 0}, at::kLong).to(at::kBool).view({2, 4}),
                   {}};
  batch.target_languages = at::tensor({2, 3}, at::kLong);
  return batch;
}

/// A host whose tokens come from the regions and the ids.
struct Searched : Toy {
  Searched() { words = register_module("words", torch::nn::Embedding(20, 4)); }
  Tokens text(const Texts& t) { return {words->forward(t.ids) * t.mask.unsqueeze(2), t.mask}; }
  torch::nn::Embedding words{nullptr};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(train_device)

BOOST_AUTO_TEST_CASE(the_other_device_takes_nothing_of_the_cpu) {
  const auto there = at::arange(6, at::kFloat).view({2, 3}).to(other_device);
  BOOST_TEST(there.t().sum(1).cpu().equal(at::tensor({3.0f, 5.0f, 7.0f})));
  BOOST_TEST((there * 2)[1][2].item<float>() == 10.0f);
  BOOST_CHECK_THROW(there + at::ones({2, 3}), c10::Error);
  BOOST_CHECK_THROW(there.index_select(0, at::arange(1)), c10::Error);
  BOOST_CHECK_THROW(there * at::ones({}), c10::Error);
  BOOST_CHECK_THROW(at::cat({there, at::ones({2, 3})}), c10::Error);
}

BOOST_AUTO_TEST_CASE(a_device_is_chosen_by_name) {
  BOOST_TEST((train::device("cpu") == at::Device(at::kCPU)));
  for (const char* wrong : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""})
    throws_with([&] { train::device(wrong); }, "train::device", "\"auto\", \"cpu\", \"cuda\" or \"cuda:N\"");
  if (torch::cuda::device_count() > 0) {
    BOOST_TEST((train::use_device("auto") == at::Device(at::kCUDA, 0)));
    throws_with([&] { train::device("cuda:99"); }, "there is no GPU 99");
    return;
  }
  BOOST_TEST((train::use_device("auto") == at::Device(at::kCPU)));
  for (const char* gpu : {"cuda", "cuda:1"})
    throws_with([&] { train::device(gpu); }, at::globalContext().hasCUDART() ? "no GPU" : "built without CUDA");
}

BOOST_AUTO_TEST_CASE(batches_move_with_all_they_hold) {
  const auto pair = named(toy_batch(3, true));
  const auto there = pair.to(other_device);
  for (const auto* t : {&there.images.regions, &there.images.region_mask, &there.right.regions, &there.texts.ids,
                        &there.texts.mask, &there.texts.hidden, &there.labels, &there.image_ids, &there.text_ids})
    BOOST_TEST((t->device() == other_device));
  BOOST_TEST(!there.images.pixels.defined());
  BOOST_TEST(there.to(at::kCPU).texts.hidden.equal(pair.texts.hidden));
  const auto all = everything::batch();
  BOOST_TEST((all.device() == at::Device(at::kCPU)));
  const auto moved = all.to(other_device);
  BOOST_TEST((moved.device() == other_device));
  BOOST_TEST((moved.images.device() == other_device));
  BOOST_TEST((moved.select(at::arange(2, other_device)).relevance.device() == other_device));
  BOOST_TEST(moved.to(other_device).a.ids.is_same(moved.a.ids));
}

BOOST_AUTO_TEST_CASE(seven_objectives_learn_the_same_on_either_device) {
  at_most("weights after 3 steps of seven objectives on the other device, float64",
          after_training(&everything::training, everything::batch()), 1e-10);
}

BOOST_AUTO_TEST_CASE(relevance_goes_where_its_texts_are) {
  using Encoder = relevance::Encoder<text::TransformerEncoder>;
  std::vector<at::Tensor> scores;
  for (const auto& device : {at::Device(at::kCPU), other_device}) {
    torch::manual_seed(6);
    const auto encoder = std::make_shared<text::TransformerEncoder>(text::TransformerEncoderOptions{
        .vocabulary = 20, .width = 8, .layers = 1, .heads = 2, .feed_forward = 8, .positions = 6});
    Encoder relevance(encoder);
    const auto batch = everything::batch().to(device);
    relevance.calibrate(batch.a, batch.a);
    scores.push_back(relevance.score(batch));
    scores.push_back(relevance.score(batch));  // remembered
    scores.push_back(relevance.score_rows(batch, 1, 3));
    for (std::size_t k = scores.size() - 3; k < scores.size(); ++k) BOOST_TEST((scores[k].device() == device));
    if (!device.is_cpu()) BOOST_TEST((relevance.score(everything::batch()).device() == at::Device(at::kCPU)));  // back
    BOOST_TEST((relevance::Constant(0.3).score_rows(batch, 1, 3).device() == device));
  }
  for (std::size_t k = 0; k < 3; ++k)
    at_most("relevance on the other device", max_difference(scores[k], scores[k + 3].cpu()), 1e-5);
}

BOOST_AUTO_TEST_CASE(a_run_with_memory_stops_and_goes_on_on_either_device) {
  const TempDir folder;
  std::ostringstream said;
  tiny::Facts facts{.steps = 16, .every = 4, .workers = 0, .accumulate = 2};
  const auto expected = tiny::train(facts, said);
  facts.device = other_device;
  facts.folder = folder / "there";
  const auto there = tiny::train(facts, said);
  BOOST_TEST((there->device() == other_device));
  at_most("a run of 16 steps on the other device", tiny::difference(*expected, *there), 1e-5);
  // Killed at step 10, it goes on from 8; the same checkpoint goes on on the CPU.
  facts.folder = folder / "killed";
  tiny::train(facts, said, std::make_shared<Single>(), 10);
  const auto again = folder / "again";
  std::filesystem::copy(facts.folder, again, std::filesystem::copy_options::recursive);
  at_most("the same, resumed there", tiny::difference(*there, *tiny::train(facts, said)), 0);
  facts.device = at::kCPU;
  facts.folder = again;
  at_most("the same, resumed on the CPU", tiny::difference(*there, *tiny::train(facts, said)), 1e-5);
}

BOOST_AUTO_TEST_CASE(gradient_caching_draws_the_same_masks_again) {
  std::vector<data::PreparedSample> samples;
  for (std::int64_t i = 0; i < 12; ++i) samples.push_back(tiny::Prepare{}(tiny::Source{}.read(i), 1, 0));
  const auto batch = data::CollateSamples()(samples);
  std::vector<at::Tensor> gradients;
  for (const auto& device : {at::Device(at::kCPU), other_device}) {
    const auto model = on(device, [] { return std::make_shared<tiny::Model>(); });
    const auto objective = on(device, [] { return std::make_shared<objective::Itc>(); });
    torch::manual_seed(8);
    backward_cached(*model, *objective, batch.to(device), {.chunk = 5, .block = 4});
    gradients.push_back(model->words->weight.grad().cpu());
  }
  at_most("gradient caching on the other device", max_difference(gradients[0], gradients[1]), 1e-6);
}

BOOST_AUTO_TEST_CASE(heads_learn_the_same_on_either_device) {
  for (const bool pairs : {false, true}) {
    const auto make = [&] {
      auto head = std::make_shared<task::Classifier<Toy>>(
          std::make_shared<Toy>(), task::ClassifierOptions{.classes = 3, .images = pairs ? 2 : 1});
      head->to(at::kDouble);
      return head;
    };
    torch::manual_seed(1);
    at_most("a classifier on the other device", after_training(make, toy_batch(6, pairs)), 1e-10);
  }
  const auto matcher = [] {
    auto head = std::make_shared<task::Matcher<Toy>>(std::make_shared<Toy>());
    head->to(at::kDouble);
    return head;
  };
  at_most("a matcher on the other device", after_training(matcher, named(toy_batch(6, false))), 1e-10);
  const auto translator = [] {
    auto head = std::make_shared<task::Translator<Toy>>(std::make_shared<Toy>(), decoder());
    head->to(at::kDouble);
    return head;
  };
  at_most("a translator on the other device", after_training(translator, translations()), 1e-10);
}

BOOST_AUTO_TEST_CASE(heads_answer_the_same_on_either_device) {
  std::vector<std::vector<std::int64_t>> answers, words, orders;
  for (const auto& device : {at::Device(at::kCPU), other_device}) {
    const auto host = on(device, [] { return std::make_shared<Searched>(); });
    data::DataErrors errors;
    const task::CachedExamples all(*host, examples(10), Prepare{}, errors);
    const auto classifier = std::make_shared<task::Classifier<Searched>>(host, task::ClassifierOptions{.classes = 2});
    for (const auto& p : classifier->parameters()) BOOST_TEST((p.device() == device));
    for (const auto look :
         {task::Ablation::none, task::Ablation::shuffled, task::Ablation::blank, task::Ablation::regions_only})
      answers.push_back(task::classify(*classifier, all, look, 4));

    host->eval();
    const auto images = task::encode_images(*host, all, task::Ablation::none, 3);
    const auto texts = task::encode_texts(*host, all, {0, 2, 4, 6, 8}, 2);
    const auto scores = task::rerank(*host, task::compare(texts, images), texts, images, true, 3);
    const auto ranks = task::ranks(scores, at::arange(5)).cpu();
    BOOST_TEST(task::recall(ranks).at10 == 1);
    orders.emplace_back(ranks.data_ptr<std::int64_t>(), ranks.data_ptr<std::int64_t>() + 5);

    const auto translator = on(device, [] {
      auto head = std::make_shared<task::Translator<Toy>>(std::make_shared<Toy>(), decoder());
      head->to(at::kDouble);
      for (auto& p : head->named_parameters())
        if (p.key() == "decoder.bias" || p.key() == "decoder.embedding") torch::nn::init::normal_(p.value());
      return head;
    });
    translator->eval();
    torch::manual_seed(1);
    for (const std::int64_t beams : {1, 3})
      for (const auto& found : translator->translate(translations().to(device), {.max_length = 6, .beams = beams}))
        words.push_back(found.ids);
  }
  const auto same = [](const auto& all) {
    const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
    return std::equal(all.begin(), all.begin() + half, all.begin() + half, all.end());
  };
  BOOST_TEST(same(answers));
  BOOST_TEST(same(orders));
  BOOST_TEST(same(words));
}

BOOST_AUTO_TEST_CASE(autocast_is_that_of_the_device) {
  const auto linear = on(other_device, [] { return std::make_shared<torch::nn::LinearImpl>(4, 4); });
  const auto x = at::ones({2, 4}, other_device);
  {
    const train::Autocast autocast(train::Precision::bfloat16, other_device);
    BOOST_TEST((linear->forward(x).scalar_type() == at::kBFloat16));
    BOOST_TEST((at::ones({2, 2}).mm(at::ones({2, 2})).scalar_type() == at::kFloat));  // the CPU's is left alone
    BOOST_TEST((linear->forward(x).softmax(1).scalar_type() == at::kFloat));
  }
  BOOST_TEST((linear->forward(x).scalar_type() == at::kFloat));
  const auto trained = on(other_device, &tiny::make<tiny::Trained>);
  auto options = tiny::options({.steps = 3});
  options.precision = train::Precision::bfloat16;
  train::Trainer<tiny::Trained> trainer(trained, options);
  std::vector<data::PreparedSample> samples;
  for (std::int64_t i = 0; i < 6; ++i) samples.push_back(tiny::Prepare{}(tiny::Source{}.read(i), 1, 0));
  for (int step = 0; step < 3; ++step) BOOST_TEST(!trainer.step(data::CollateSamples()(samples)).skipped);
}

#ifdef RC3_HAS_GLOO
BOOST_AUTO_TEST_CASE(a_backend_that_is_not_there_is_refused_in_words) {
  ::setenv("RANK", "0", 1);
  ::setenv("WORLD_SIZE", "1", 1);
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", std::to_string(free_port()).c_str(), 1);
  const auto with = [](const char* backend, const at::Device& device) {
    return [=] { train::C10d::from_environment({.hostname = "127.0.0.1", .device = device, .backend = backend}); };
  };
  throws_with(with("mpi", at::kCPU), "train::C10d", "\"auto\", \"gloo\" or \"nccl\"", "\"mpi\"");
#ifdef RC3_HAS_NCCL
  throws_with(with("nccl", at::kCPU), "train::C10d", "NCCL joins GPUs", "cpu");
#else
  throws_with(with("nccl", at::Device(at::kCUDA, 0)), "train::C10d", "built without NCCL");
#endif
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) ::unsetenv(name);
}

BOOST_AUTO_TEST_CASE(two_ranks_on_the_other_device_are_two_on_the_cpu) {
  const TempDir folder;
  for (const char* what : {"there", "here"})
    BOOST_TEST_REQUIRE((start(what, 2, folder.path()) == std::vector<int>{0, 0}));
  double worst = 0;
  const auto there = io::safetensors::load(folder / "there-1"), here = io::safetensors::load(folder / "here-1");
  BOOST_TEST_REQUIRE(there.size() == here.size());
  for (const auto& [name, tensor] : here) worst = std::max(worst, max_difference(tensor, there.at(name)));
  at_most("weights after 12 steps of 2 ranks on the other device", worst, 1e-5);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

#ifdef RC3_HAS_GLOO
namespace {

void trains_on(const at::Device& device, const std::string& name) {
  at::set_num_threads(1);
  auto comm = std::make_shared<train::C10d>(train::C10d::from_environment(
      {.timeout = std::chrono::seconds(60), .hostname = "127.0.0.1", .device = device, .backend = "gloo"}));
  std::ostringstream said;
  const auto trainer = tiny::train<tiny::Trained>({.steps = 12, .workers = 0, .device = device}, said, comm);
  io::safetensors::save(std::filesystem::path(environment("RC3_FOLDER")) / join(name, '-', comm->rank()),
                        trainer->snapshot().files.at("model"));
}

}  // namespace

// What a rank does. These cases run only where the test above starts them: ranks/c10d.cpp disables their suite.
BOOST_AUTO_TEST_SUITE(as_rank)
BOOST_AUTO_TEST_CASE(there) { trains_on(other_device, "there"); }
BOOST_AUTO_TEST_CASE(here) { trains_on(at::kCPU, "here"); }
BOOST_AUTO_TEST_SUITE_END()
#endif
