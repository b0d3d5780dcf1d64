#include "rc3/train/c10d.hpp"

#include <boost/test/unit_test.hpp>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

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

using namespace rc3::test;
using rc3::train::C10d;
using rc3::train::C10dOptions;

extern char** environ;

namespace {

/// A port that nobody listens on right now.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// Starts this program once for each rank, to run the case as_rank/<what>. @return the exit status of each rank
std::vector<int> start(const std::string& what, int ranks, const std::filesystem::path& folder,
                       const std::function<void(const std::vector<pid_t>&)>& meanwhile = {}) {
  const std::string port = std::to_string(free_port());
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<std::string> variables{"RANK=" + std::to_string(rank),  "WORLD_SIZE=" + std::to_string(ranks),
                                       "MASTER_ADDR=127.0.0.1",         "MASTER_PORT=" + port,
                                       "RC3_FOLDER=" + folder.string(), "OMP_NUM_THREADS=1"};
    std::vector<char*> environment;
    for (auto& v : variables) environment.push_back(v.data());
    for (char** e = environ; *e != nullptr; ++e) environment.push_back(*e);
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe", filter = "--run_test=as_rank/" + what, level = "--log_level=nothing",
                report = "--report_level=no";
    char* arguments[] = {program.data(), filter.data(), level.data(), report.data(), nullptr};
    pid_t child = 0;
    BOOST_REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environment.data()) == 0);
    children.push_back(child);
  }
  if (meanwhile) meanwhile(children);
  std::vector<int> exits;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    exits.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  }
  return exits;
}

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

/// A map that pictures and texts go through before the fake model sees them: what is learned.
rc3::Batch through(const at::Tensor& weight, rc3::Batch batch) {
  batch.pictures.regions = batch.pictures.regions.detach().matmul(weight);
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
    rc3::objective::Pass<FakeModel> pass(model, batch);
    (o->loss(pass) / 2).backward();  // each rank's own loss, averaged
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
  rc3::objective::Pass<FakeModel> pass(model, batch);
  o->loss(pass).backward();
  const double scale = w.grad().abs().max().item<double>();
  at_most("T16 gradient of 2 ranks x 4 against 1 rank x 8, relative",
          max_difference(file.read("with"), w.grad()) / scale, 1e-6);
  at_least("T16 the same without the gather", max_difference(file.read("without"), w.grad()) / scale, 1e-2);
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
  for (const char* said : {"said-0", "said-2"}) {
    const auto message = rc3::io::read_file(folder / said, 10000);
    std::cout << "T18 " << message << '\n';
    BOOST_TEST((message.find("train::C10d: rank ") == 0));
    BOOST_TEST((message.find("all_reduce") != std::string::npos));
    BOOST_TEST((message.find("another rank ended, hangs or cannot be reached") != std::string::npos));
  }
}

BOOST_AUTO_TEST_CASE(what_the_environment_lacks_is_named) {
  for (const char* name : {"RANK", "OMPI_COMM_WORLD_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})
    ::unsetenv(name);
  throws_with([] { C10d::from_environment(); }, "the variable RANK is not set", "torchrun --no-python");
  ::setenv("RANK", "one", 1);
  throws_with([] { C10d::from_environment(); }, "the variable RANK must be a number, is \"one\"");
  ::setenv("RANK", "2", 1);
  ::setenv("WORLD_SIZE", "2", 1);
  throws_with([] { C10d::from_environment(); }, "rank 2 of 2");
  ::setenv("RANK", "0", 1);
  throws_with([] { C10d::from_environment(); }, "MASTER_ADDR");
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", "70000", 1);
  throws_with([] { C10d::from_environment(); }, "MASTER_PORT must be 1 .. 65535, is 70000");
}

BOOST_AUTO_TEST_SUITE_END()
