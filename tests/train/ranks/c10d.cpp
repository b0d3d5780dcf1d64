#include "rc3/train/c10d.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <thread>

#include "rc3/core/nn/state.hpp"
#include "rc3/io/safetensors.hpp"
#include "rc3/objective/gather.hpp"
#include "rc3/objective/objective.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"
#include "train/ranks/start.hpp"
#include "train/runs/tiny.hpp"

using namespace rc3::test;
using rc3::train::C10d;
using rc3::train::C10dOptions;

namespace {

C10d ranks(std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
  return C10d::from_environment({.timeout = timeout, .hostname = "127.0.0.1"});
}
std::filesystem::path folder() { return environment("RC3_FOLDER"); }

using Objective =
    rc3::objective::RXvtcl<rc3::regularizer::Ceiling, rc3::relevance::Constant, rc3::objective::negatives::InBatch>;

std::shared_ptr<Objective> objective() {
  auto made = std::make_shared<Objective>(rc3::objective::RXvtclOptions{}, rc3::regularizer::Ceiling(0.1),
                                          rc3::relevance::Constant(0.2));
  made->to(at::kDouble);
  return made;
}

/// Counts the sums that leave while backward runs.
struct Counting {
  C10d& comm;
  std::size_t sent = 0;

  std::int64_t rank() const { return comm.rank(); }
  std::int64_t size() const { return comm.size(); }
  std::vector<at::Tensor> all_gather(const at::Tensor& t) { return comm.all_gather(t); }
  void all_reduce(at::Tensor& t) { comm.all_reduce(t); }
  auto all_reduce_later(const at::Tensor& t) {
    ++sent;
    return comm.all_reduce_later(t);
  }
};

/// A map that images and texts go through before the fake model sees them: what is learned.
rc3::Batch through(const at::Tensor& weight, rc3::Batch batch) {
  batch.images.regions = batch.images.regions.detach().matmul(weight);
  batch.a.hidden = batch.a.hidden.detach().matmul(weight);
  batch.b.hidden = batch.b.hidden.detach().matmul(weight);
  return batch;
}
at::Tensor weight() {
  torch::manual_seed(9);
  return at::randn({3, 3}, at::kDouble).requires_grad_();
}

/// The gradient that 2 ranks with 4 samples each agree on.
at::Tensor gradient_of_ranks(C10d& comm, bool gathered) {
  const auto w = weight();
  const auto mine = fake_batch(8).select(at::arange(4 * comm.rank(), 4 * comm.rank() + 4));
  FakeModel model;
  const auto o = objective();
  if (gathered) {
    rc3::objective::gathered_loss(comm, model, *o, through(w, mine)).backward();
  } else {
    const auto batch = through(w, mine);
    rc3::objective::ForwardCache<FakeModel> forward(model, batch);
    (o->loss(forward) / 2).backward();  // each rank's own loss, averaged
  }
  auto gradient = w.grad().clone();
  comm.all_reduce(gradient);
  return gradient;
}

}  // namespace

// What a rank does. These cases run only where a test below starts them.
BOOST_AUTO_TEST_SUITE(as_rank, *boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(adds_and_gathers) {
  auto comm = ranks();
  const auto r = comm.rank();
  at::Tensor sum = at::tensor({static_cast<double>(r), 10.0}, at::kDouble);
  comm.all_reduce(sum);
  BOOST_TEST(sum.equal(at::tensor({3.0, 30.0}, at::kDouble)));
  at::Tensor turned = at::arange(6, at::kDouble).view({2, 3}).t();  // not contiguous
  comm.all_reduce(turned);
  BOOST_TEST(turned.equal(3 * at::arange(6, at::kDouble).view({2, 3}).t()));
  const auto all = comm.all_gather(at::full({2, 1}, r, at::kLong));
  BOOST_TEST(all.size() == 3u);
  for (std::int64_t k = 0; k < 3; ++k)
    BOOST_TEST(all[static_cast<std::size_t>(k)].equal(at::full({2, 1}, k, at::kLong)));
}

BOOST_AUTO_TEST_CASE(writes_its_gradient) {
  auto comm = ranks();
  const auto with = gradient_of_ranks(comm, true), without = gradient_of_ranks(comm, false);
  if (environment("RANK") == "0")
    rc3::io::safetensors::save(folder() / "gradient", {{"with", with}, {"without", without}});
}

/// Trains with what remembers the most, in a folder with checkpoints; with RC3_DIES rank 1 is killed once, at step 9.
BOOST_AUTO_TEST_CASE(trains) {
  at::set_num_threads(1);
  auto comm = std::make_shared<C10d>(ranks());
  std::ostringstream said;
  const tiny::Facts facts{.folder = folder() / "run", .steps = 24, .every = 4, .workers = 1};
  const auto mark = folder() / "died";
  const bool dies = !environment("RC3_DIES").empty() && comm->rank() == 1 && !std::filesystem::exists(mark);
  if (dies) rc3::io::write_file(mark, "");
  const auto trainer = tiny::train<tiny::Trained>(facts, said, comm, dies ? 9 : -1);
  if (dies) ::raise(SIGKILL);
  if (comm->rank() == 0) rc3::io::write_file(folder() / "said", said.str());
}

BOOST_AUTO_TEST_CASE(trains_plainly_in_small_buckets) {
  at::set_num_threads(1);
  auto comm = std::make_shared<C10d>(ranks());
  std::ostringstream said;
  const auto trainer = tiny::train<tiny::Plain>({.steps = 20, .workers = 0}, said, comm);
  const auto snapshot = trainer->snapshot();
  rc3::io::safetensors::save(folder() / ("rank-" + environment("RANK")), snapshot.files.at("model"));
  // The same gradients, bucket by bucket while backward runs, and all at its end.
  const auto net = tiny::make<tiny::Plain>();
  std::vector<rc3::data::PreparedSample> samples;
  for (std::int64_t i = 0; i < 6; ++i)
    samples.push_back(tiny::Prepare{}(tiny::Source{}.read(6 * comm->rank() + i), 1, 0));
  const auto batch = rc3::data::CollateSamples()(samples);
  std::vector<at::Tensor> learning;
  for (const auto& p : net->parameters()) learning.push_back(p);
  std::vector<at::Tensor> sums;
  net->losses(batch, *comm).total.backward();
  for (const auto& p : learning) {
    auto sum = p.grad().defined() ? p.grad().clone() : at::zeros_like(p);
    comm->all_reduce(sum);
    sums.push_back(sum);
  }
  Counting counting{*comm};
  rc3::train::GradientSum<Counting> buckets(counting, learning, /*bucket_bytes=*/200);
  double worst = 0;
  const auto compare = [&] {
    for (std::size_t i = 0; i < learning.size(); ++i)
      worst = std::max(
          worst, max_difference(learning[i].grad().defined() ? learning[i].grad() : at::zeros_like(sums[i]), sums[i]));
  };
  std::size_t early = 0, all = 0;
  for (int step = 0; step < 2; ++step) {  // the second knows what is not used
    net->zero_grad();
    buckets.begin();
    counting.sent = 0;
    net->losses(batch, *comm).total.backward();
    early = counting.sent;
    buckets.finish();
    all = counting.sent;
    compare();
  }
  // Now a parameter that was not used is, on one rank, after its bucket has left.
  net->zero_grad();
  buckets.begin();
  net->losses(batch, *comm).total.backward();
  if (comm->rank() == 1) net->model()->score->weight.sum().backward();
  buckets.finish();
  BOOST_TEST(net->model()->score->weight.grad().equal(at::ones({1, 8})));
  rc3::io::write_file(folder() / ("buckets-" + environment("RANK")), rc3::join(worst, ' ', all, ' ', early));
}

BOOST_AUTO_TEST_CASE(waits_for_one_that_hangs) {
  auto comm = ranks(std::chrono::seconds(3));
  if (comm.rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(600));
  at::Tensor one = at::ones({1});
  const std::string message = message_of([&] { comm.all_reduce(one); });
  rc3::io::write_file(folder() / ("said-" + std::to_string(comm.rank())), message);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(train_c10d)

BOOST_AUTO_TEST_CASE(three_processes_add_and_gather) {
  const TempDir folder;
  const auto exits = start("adds_and_gathers", 3, folder.path());
  BOOST_TEST((exits == std::vector<int>{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(T16_two_ranks_with_gathered_negatives_are_one_with_both_batches) {
  const TempDir folder;
  BOOST_REQUIRE((start("writes_its_gradient", 2, folder.path()) == std::vector<int>{0, 0}));
  const rc3::io::safetensors::Reader file(folder / "gradient");
  const auto w = weight();
  FakeModel model;
  const auto o = objective();
  const auto batch = through(w, fake_batch(8));
  rc3::objective::ForwardCache<FakeModel> forward(model, batch);
  o->loss(forward).backward();
  const double scale = w.grad().abs().max().item<double>();
  at_most("T16 gradient of 2 ranks x 4 against 1 rank x 8, relative",
          max_difference(file.read("with"), w.grad()) / scale, 1e-6);
  at_least("T16 the same without the gather", max_difference(file.read("without"), w.grad()) / scale, 1e-2);
}

BOOST_AUTO_TEST_CASE(T16_training_in_two_processes_is_training_in_one) {
  at::set_num_threads(1);
  const TempDir folder;
  BOOST_TEST_REQUIRE((start("trains_plainly_in_small_buckets", 2, folder.path()) == std::vector<int>{0, 0}));
  std::ostringstream said;
  const auto alone = tiny::train<tiny::Plain>({.steps = 20, .workers = 0}, said);
  const auto snapshot = alone->snapshot();
  double worst = 0, apart = 0;
  const auto first = rc3::io::safetensors::load(folder / "rank-0"),
             second = rc3::io::safetensors::load(folder / "rank-1");
  for (const auto& [name, tensor] : snapshot.files.at("model")) {
    worst = std::max(worst, max_difference(tensor, first.at(name)));
    apart = std::max(apart, max_difference(first.at(name), second.at(name)));
  }
  at_most("T16 weights after 20 steps in 2 processes against 1, float32", worst, 1e-5);
  at_most("T16 weights of the two ranks, difference", apart, 0);
  std::istringstream buckets(rc3::io::read_file(folder / "buckets-0", 1000));
  double difference = 1;
  std::size_t count = 0, early = 0;
  buckets >> difference >> count >> early;
  at_most("gradients summed in buckets during backward against summed after it", difference, 1e-7);
  at_least(rc3::join("buckets that left before the end of backward, of ", count), early, count - 1);
}

/// torchrun with two ranks. @return its exit status
int torchrun(const std::filesystem::path& folder, bool dies) {
  const std::string command = rc3::join(
      "cd / && env -u RANK -u WORLD_SIZE RC3_FOLDER=", folder.string(), dies ? " RC3_DIES=1" : "",
      " OMP_NUM_THREADS=1 ", environment("RC3_TEST_PYTHON"),
      " -m torch.distributed.run --standalone --no-python --nproc-per-node=2 --max-restarts=2 ",
      std::filesystem::read_symlink("/proc/self/exe").string(),
      " --run_test=as_rank/trains --log_level=error --report_level=no > ", (folder / "torchrun.log").string(), " 2>&1");
  return std::system(command.c_str());
}

BOOST_AUTO_TEST_CASE(T17_a_killed_rank_is_started_again_and_the_weights_are_those_of_a_run_left_alone) {
  if (environment("RC3_TEST_PYTHON").empty()) {
    std::cout << "skipped: T17 needs torchrun (RC3_TEST_PYTHON)\n";
    return;
  }
  const TempDir alone, killed;
  BOOST_TEST_REQUIRE(torchrun(alone.path(), false) == 0);
  const int result = torchrun(killed.path(), true);
  if (result != 0) std::cout << rc3::io::read_file(killed / "torchrun.log", 1 << 20);
  BOOST_TEST_REQUIRE(result == 0);
  BOOST_TEST(std::filesystem::exists(killed / "died"));
  BOOST_TEST((rc3::io::read_file(killed / "said", 1 << 20).find("resumed at step 8") != std::string::npos));
  std::int64_t differing = 0;
  for (const char* file : {"model", "optimizer", "ema", "memory-0", "memory-1"}) {
    const auto name = rc3::join("run/step-24/", file, ".safetensors");
    const auto a = rc3::io::safetensors::load(alone / name), b = rc3::io::safetensors::load(killed / name);
    for (const auto& [key, tensor] : a) differing += tensor.equal(b.at(key)) ? 0 : 1;
  }
  at_most("T17 tensors that differ from the run left alone", differing, 0);
}

BOOST_AUTO_TEST_CASE(T18_who_waits_for_a_rank_that_hangs_ends_with_a_name) {
  const TempDir folder;
  const auto exits = start("waits_for_one_that_hangs", 3, folder.path(), [&](const std::vector<pid_t>& children) {
    for (int i = 0; i < 600; ++i) {  // the others write what they were told
      if (std::filesystem::exists(folder / "said-0") && std::filesystem::exists(folder / "said-2")) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ::kill(children[1], SIGKILL);
  });
  BOOST_TEST(exits[1] == -SIGKILL);
  int named = 0;
  for (const char* said : {"said-0", "said-2"}) {
    const auto message = rc3::io::read_file(folder / said, 10000);
    std::cout << "T18 " << message << '\n';
    named += message.find("train::C10d: rank ") == 0;
    BOOST_TEST((message.find("train::C10d: rank ") == 0));
    BOOST_TEST((message.find("all_reduce") != std::string::npos));
    BOOST_TEST((message.find("another rank ended, hangs or cannot be reached") != std::string::npos));
  }
  at_least("T18 ranks of two that end with a name", named, 2);
}

BOOST_AUTO_TEST_CASE(a_single_rank_sends_nothing) {
  C10d comm;
  BOOST_TEST(comm.rank() == 0);
  BOOST_TEST(comm.size() == 1);
  at::Tensor t = at::arange(3);
  const auto all = comm.all_gather(t);
  BOOST_TEST(all.size() == 1u);
  BOOST_TEST(all[0].is_same(t));
  comm.all_reduce(t);
  comm.all_reduce_later(t).wait();
  BOOST_TEST(t.equal(at::arange(3)));
}

BOOST_AUTO_TEST_CASE(what_the_environment_lacks_is_named) {
  for (const char* name : {"RANK", "OMPI_COMM_WORLD_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})
    ::unsetenv(name);
  throws_with([] { C10d::from_environment(); }, "RANK and WORLD_SIZE are not set", "torchrun --no-python");
  ::setenv("WORLD_SIZE", "2", 1);
  ::setenv("RANK", "one", 1);
  throws_with([] { C10d::from_environment(); }, "the variable RANK must be a number, is \"one\"");
  ::setenv("RANK", "2", 1);
  throws_with([] { C10d::from_environment(); }, "rank 2 of 2");
  ::setenv("RANK", "0", 1);
  throws_with([] { C10d::from_environment(); }, "MASTER_ADDR");
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", "70000", 1);
  throws_with([] { C10d::from_environment(); }, "MASTER_PORT must be 1 .. 65535, is 70000");
}

BOOST_AUTO_TEST_CASE(one_machine_s_mpirun_needs_no_address) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) ::unsetenv(name);
  const std::string call = std::to_string(::getpid());
  for (const auto& [name, value] :
       {std::pair("OMPI_COMM_WORLD_RANK", "0"), std::pair("OMPI_COMM_WORLD_SIZE", "1"),
        std::pair("OMPI_COMM_WORLD_LOCAL_SIZE", "1"), std::pair("PMIX_NAMESPACE", call.c_str())})
    ::setenv(name, value, 1);
  BOOST_TEST(C10d::from_environment().size() == 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "2", 1);  // the other rank is elsewhere
  throws_with([] { C10d::from_environment(); }, "MASTER_ADDR");
  for (const char* name :
       {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE"})
    ::unsetenv(name);
}

BOOST_AUTO_TEST_SUITE_END()
