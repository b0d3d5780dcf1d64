#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sstream>
#include <thread>

#include "support/child.hpp"
#include "support/support.hpp"
#include "support/thread_communicator.hpp"
#include "train/runs/tiny.hpp"

using namespace rc3::test;
namespace fs = std::filesystem;

namespace {

std::ostringstream nowhere;

/// Starts this program to run the case as_process/<what> on @p folder.
pid_t start(const std::string& what, const fs::path& folder) {
  return rc3::test::start_case("as_process/" + what, {"RC3_FOLDER=" + folder.string(), "OMP_NUM_THREADS=1"}, "error");
}
void run_to_the_end(const std::string& what, const fs::path& folder) {
  BOOST_TEST_REQUIRE(wait_for(start(what, folder)) == 0);
}
fs::path folder_of_process() { return environment("RC3_FOLDER"); }

/// Differing bytes of the tensors of two checkpoints.
std::int64_t differing(const fs::path& a, const fs::path& b) {
  std::int64_t count = 0;
  for (const char* file : {"model", "optimizer", "ema", "memory-0"}) {
    const auto x = rc3::io::safetensors::load(a / (std::string(file) + ".safetensors"));
    const auto y = rc3::io::safetensors::load(b / (std::string(file) + ".safetensors"));
    BOOST_TEST_REQUIRE(x.size() == y.size());
    for (const auto& [name, tensor] : x)
      count += tensor.equal(y.at(name)) ? 0 : static_cast<std::int64_t>(tensor.nbytes());
  }
  return count;
}

/// Long enough to be killed in, with a checkpoint at every step or two.
tiny::Facts long_run(const fs::path& folder) {
  return {.folder = folder, .steps = 120, .every = 2, .workers = 2, .accumulate = 2};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(as_process, *boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(trains) {
  at::set_num_threads(1);
  tiny::train(long_run(folder_of_process()), nowhere);
}
BOOST_AUTO_TEST_CASE(trains_without_end) {
  auto facts = long_run(folder_of_process());
  facts.steps = 1'000'000;
  facts.every = 100'000;
  std::ostringstream said;
  tiny::train(facts, said);
  rc3::io::write_file(folder_of_process() / "said", said.str());
}

/// Samples that cannot be used, more of them than a test waits for.
struct Damaged : tiny::Source {
  std::int64_t size() const { return 1'000'000; }
};
struct Refuse : tiny::Prepare {
  rc3::data::PreparedSample operator()(const rc3::data::Sample& sample, std::uint64_t, std::int64_t) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    rc3::fail("sample ", sample.id, ": damaged");
  }
};
BOOST_AUTO_TEST_CASE(finds_no_usable_sample) {
  std::ostringstream said;
  rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({}));
  rc3::train::Run<tiny::Plain> run(trainer, {.checkpoint = {.folder = folder_of_process()}}, said);
  const Damaged source;
  rc3::data::DataErrors errors({.fraction = 1});
  rc3::data::Loader loader(source, Refuse{}, rc3::data::CollateSamples(), errors,
                           {.batch = {.size = 12}, .workers = std::stoi(environment("RC3_WORKERS"))});
  rc3::io::write_file(folder_of_process() / "begins", "");
  const bool stopped = run.train(loader) == rc3::train::StopReason::stopped;
  rc3::io::write_file(folder_of_process() / "said", said.str());
  BOOST_TEST((stopped && trainer.steps() == 0));
}
BOOST_AUTO_TEST_CASE(is_refused) {
  std::string reason;
  try {
    tiny::train(long_run(folder_of_process()), nowhere);
  } catch (const rc3::Error& error) {
    reason = error.what();
  }
  rc3::io::write_file(folder_of_process() / "refused", reason);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(train_runs)

template <class Holds>
bool until(const Holds& holds) {
  for (int i = 0; i < 1200 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return holds();
}

BOOST_AUTO_TEST_CASE(T14_a_run_that_stopped_and_went_on_is_the_run_left_alone) {
  at::set_num_threads(1);
  double worst = 0;
  for (const int workers : {0, 1, 4})
    for (const std::int64_t accumulate : {1, 2}) {
      const auto alone = tiny::train({.workers = workers, .accumulate = accumulate}, nowhere);
      BOOST_TEST(alone->steps() == 30);
      for (const std::int64_t k : {1, 7, 16, 29}) {
        const TempDir folder;
        const tiny::Facts facts{.folder = folder.path(), .workers = workers, .accumulate = accumulate};
        tiny::train(facts, nowhere, std::make_shared<rc3::Single>(), k);
        std::ostringstream said;
        const auto resumed = tiny::train(facts, said);
        BOOST_TEST((said.str().find(rc3::join("resumed at step ", k)) != std::string::npos), said.str());
        BOOST_TEST(resumed->steps() == 30);
        worst = std::max(worst, tiny::difference(*alone, *resumed));
        // The log has every fifth step once, also where the run went back to its checkpoint.
        std::vector<std::int64_t> logged;
        for (const auto& point : rc3::train::read_log(folder.path() / "log.jsonl")) logged.push_back(point.step);
        BOOST_TEST(logged == (std::vector<std::int64_t>{5, 10, 15, 20, 25, 30}), boost::test_tools::per_element());
        const auto report = rc3::io::read_file(folder.path() / "report.html", 1 << 20);
        BOOST_TEST((report.find("complete after step 30") != std::string::npos));
      }
    }
  at_most("T14 N steps against k + resume + (N - k): largest difference of weights, moments, averages, memory", worst,
          0);
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_would_be_seen) {  // T14 can fail: each of these makes it differ
  at::set_num_threads(1);
  const auto alone = tiny::train({}, nowhere);
  for (const char* lost : {"optimizer", "ema", "memory-0"}) {
    const TempDir folder;
    const tiny::Facts facts{.folder = folder.path()};
    tiny::train(facts, nowhere, std::make_shared<rc3::Single>(), 16);
    rc3::train::CheckpointStore store(folder.path());
    const auto found = store.newest();
    auto tensors = rc3::io::safetensors::load(found->folder / (std::string(lost) + ".safetensors"));
    for (auto& [name, tensor] : tensors)
      if (tensor.is_floating_point()) tensor = tensor * 0.5;
    std::map<std::string, std::string> files;
    for (const auto& file : found->manifest.files)
      files[file.name] = rc3::io::read_file(found->folder / file.name, 1 << 24);
    store.save(16, [&](auto& writer) {
      for (const auto& [name, bytes] : files) {
        writer.begin(name);
        if (name == std::string(lost) + ".safetensors")
          rc3::io::safetensors::write(writer, name, tensors, {{"rc3.variant", tiny::Trained::name()}});
        else
          writer.write(bytes);
      }
    });
    at_least(rc3::join("T14 with a wrong ", lost), tiny::difference(*alone, *tiny::train(facts, nowhere)), 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(T11_kill_9_at_any_moment) {
  const auto given = environment("RC3_KILLS");
  const int kills = given.empty() ? 20 : std::stoi(given);
  const TempDir folder;
  const auto alone = folder.path() / "alone", killed = folder.path() / "killed";
  const auto begin = std::chrono::steady_clock::now();
  run_to_the_end("trains", alone);
  const auto whole = std::chrono::steady_clock::now() - begin;
  int resumed = 0, survived = 0, finished = 0;
  std::int64_t different = 0;
  rc3::Random random(7);
  while (resumed + survived < kills) {
    const pid_t child = start("trains", killed);
    std::this_thread::sleep_for(
        std::chrono::duration<double>(random.uniform(0.0, 1.0) * std::chrono::duration<double>(whole).count()));
    ::kill(child, SIGKILL);
    if (wait_for(child) != -SIGKILL) {  // it was at its end: compare, and begin anew
      ++finished;
      different += differing(alone / "step-120", killed / "step-120");
      fs::remove_all(killed);
      continue;
    }
    // What is there now must be whole.
    if (!fs::exists(killed) || rc3::train::CheckpointStore<>(killed).newest())
      ++resumed;
    else
      ++survived;  // killed before the first checkpoint: it begins anew
  }
  run_to_the_end("trains", killed);
  different += differing(alone / "step-120", killed / "step-120");
  at_most(rc3::join("T11 ", kills, " kills (", survived, " before a checkpoint, ", finished,
                    " runs ended between): bytes that differ from the run left alone"),
          different, 0);
}

BOOST_AUTO_TEST_CASE(T13_a_run_goes_on_from_the_checkpoint_before_a_damaged_one) {
  at::set_num_threads(1);
  const auto alone = tiny::train({}, nowhere);
  const TempDir folder;
  const tiny::Facts facts{.folder = folder.path()};
  tiny::train(facts, nowhere, std::make_shared<rc3::Single>(), 16);
  fs::resize_file(folder.path() / "step-16/optimizer.safetensors", 500);
  std::ostringstream said;
  const auto resumed = tiny::train(facts, said);
  std::cout << "T13 " << said.str().substr(0, said.str().find('\n')) << '\n';
  BOOST_TEST((said.str().find("step-16/optimizer.safetensors: has 500 bytes") != std::string::npos));
  BOOST_TEST((said.str().find("resumed at step 14") != std::string::npos));
  at_most("T13 difference from the run left alone", tiny::difference(*alone, *resumed), 0);
}

BOOST_AUTO_TEST_CASE(another_programs_checkpoint_is_refused_and_nothing_changes) {
  const TempDir folder;
  tiny::train({.folder = folder.path(), .steps = 3}, nowhere);
  rc3::train::Trainer<tiny::Plain> other(tiny::make<tiny::Plain>(), tiny::options({}));
  const auto before = other.snapshot().copied();
  throws_with([&] { other.restore(folder.path() / "step-3"); }, "was written by", "the program is");
  const auto after = other.snapshot();
  for (const auto& [name, tensor] : after.files.at("model"))
    BOOST_TEST(tensor.equal(before.files.at("model").at(name)));
}

/// Trains a T on batches of which some have a number that is none.
template <class T>
void skip_bad_steps() {
  at::set_num_threads(1);
  const TempDir folder;
  auto trainer = std::make_shared<rc3::train::Trainer<T>>(tiny::make<T>(), tiny::options({}));
  rc3::train::Run<T> run(*trainer, {.checkpoint = {.folder = folder.path(), .every = 1}}, nowhere);
  const tiny::Source source;
  rc3::data::DataErrors errors;
  rc3::data::LoaderOptions loading;
  loading.batch.size = 12;
  loading.workers = 0;
  rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, loading);
  struct Spoilt {
    decltype(loader)& all;
    std::vector<int> bad;
    int at = 0;
    auto next() {
      auto loaded = all.next();
      if (std::count(bad.begin(), bad.end(), at++) > 0) loaded->batch.images.regions.index({3, 0, 2}) = std::nan("");
      return loaded;
    }
    auto state() const { return all.state(); }
  } spoilt{loader, {4, 5, 9, 12, 13, 14}};
  std::int64_t changed = 0;
  auto before = trainer->snapshot().copied();
  struct Watching {
    Spoilt& all;
    std::function<void(int)> look;
    auto next() {
      look(all.at);
      return all.next();
    }
    auto state() const { return all.state(); }
  } watching{spoilt, [&](int at) {
               const auto now = trainer->snapshot();
               const bool was_bad = std::count(spoilt.bad.begin(), spoilt.bad.end(), at - 1) > 0;
               for (const auto& [file, tensors] : now.files) {
                 if (file.starts_with("memory")) continue;  // a queue keeps the batch's other samples
                 for (const auto& [name, tensor] : tensors)
                   if (was_bad && !tensor.equal(before.files.at(file).at(name))) ++changed;
               }
               before = now.copied();
             }};
  const std::string message = message_of([&] { run.train(watching); });
  std::cout << "T19 " << message << '\n';
  BOOST_TEST((message.find("3 steps in a row had no finite gradient, the last is step 15") != std::string::npos));
  at_most(rc3::join("T19 ", T::objective_names().size(), " objectives: tensors that a bad step changed"), changed, 0);
  BOOST_TEST(trainer->skipped() == 6);
  // The last good checkpoint is whole and finite.
  const auto found = rc3::train::CheckpointStore<>(folder.path()).newest();
  BOOST_TEST_REQUIRE(found.has_value());
  const auto saved = rc3::io::safetensors::load(found->folder / "model.safetensors");
  for (const auto& [name, tensor] : saved) BOOST_TEST(tensor.isfinite().all().template item<bool>());
}

BOOST_AUTO_TEST_CASE(T19_a_step_without_a_finite_gradient_changes_nothing) { skip_bad_steps<tiny::Plain>(); }
BOOST_AUTO_TEST_CASE(T19_nor_with_hard_negatives_and_a_queue) { skip_bad_steps<tiny::Trained>(); }

BOOST_AUTO_TEST_CASE(T19_weights_that_are_not_finite_are_left_as_they_are) {
  rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({}));
  {
    c10::NoGradGuard no_grad;
    trainer.trained()->model()->image->weight[0][0] = std::nan("");
  }
  const auto before = trainer.snapshot().copied();
  std::vector<rc3::data::PreparedSample> samples;
  for (std::int64_t i = 0; i < 6; ++i) samples.push_back(tiny::Prepare{}(tiny::Source{}.read(i), 1, 0));
  const auto report = trainer.step(rc3::data::CollateSamples()(samples));
  BOOST_TEST(report.skipped);
  const auto after = trainer.snapshot();
  for (const auto& [name, tensor] : after.files.at("model"))
    if (name != "model.image.weight") BOOST_TEST(tensor.equal(before.files.at("model").at(name)), name);
}

BOOST_AUTO_TEST_CASE(T19_on_one_rank_only_all_skip) {
  std::array<std::int64_t, 2> skipped{}, changed{};
  as_ranks(2, [&](ThreadCommunicator& comm) {
    auto shared = std::make_shared<ThreadCommunicator>(comm);
    rc3::train::Trainer<tiny::Plain, ThreadCommunicator> trainer(tiny::make<tiny::Plain>(), tiny::options({}), shared);
    for (int step = 0; step < 4; ++step) {
      std::vector<rc3::data::PreparedSample> samples;
      for (std::int64_t i = 0; i < 6; ++i)
        samples.push_back(tiny::Prepare{}(tiny::Source{}.read(6 * comm.rank() + i), 1, step));
      auto batch = rc3::data::CollateSamples()(samples);
      const bool bad = step == 1 || step == 2;
      if (bad && comm.rank() == 1) batch.images.regions.index({2, 0, 0}) = std::nan("");
      const auto before = trainer.snapshot().copied();
      const auto report = trainer.step(batch);
      const auto r = static_cast<std::size_t>(comm.rank());
      skipped[r] += report.skipped;
      const auto after = trainer.snapshot();
      for (const auto& [name, tensor] : after.files.at("model"))
        changed[r] += bad && !tensor.equal(before.files.at("model").at(name));
    }
  });
  BOOST_TEST(skipped[0] == 2);
  BOOST_TEST(skipped[1] == 2);
  at_most("T19 tensors changed on either rank by a bad step of one", changed[0] + changed[1], 0);
}

BOOST_AUTO_TEST_CASE(T16_training_on_two_ranks_is_training_on_one) {
  at::set_num_threads(1);
  const tiny::Facts facts{.steps = 20, .workers = 0};
  const auto alone = tiny::train<tiny::Plain>(facts, nowhere);
  std::array<double, 2> differences{};
  as_ranks(2, [&](ThreadCommunicator& comm) {
    const auto both = tiny::train<tiny::Plain>(facts, nowhere, std::make_shared<ThreadCommunicator>(comm));
    differences[static_cast<std::size_t>(comm.rank())] = tiny::difference(*alone, *both);
  });
  at_most("T16 weights after 20 steps on 2 ranks against 1, float32", std::max(differences[0], differences[1]), 1e-5);
}

BOOST_AUTO_TEST_CASE(SIGUSR1_saves_and_goes_on_and_SIGINT_saves_and_ends) {
  const TempDir folder;
  const pid_t child = start("trains_without_end", folder.path());
  const auto checkpoints = [&] { return rc3::train::CheckpointStore<>(folder.path()).steps(); };
  // It answers as soon as the handlers stand; before that the signal would end it.
  BOOST_TEST_REQUIRE(until([&] { return !fs::is_empty(folder.path()); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  ::kill(child, SIGUSR1);
  BOOST_TEST(until([&] { return checkpoints().size() == 1; }));
  ::kill(child, SIGINT);
  BOOST_TEST(wait_for(child) == 0);
  BOOST_TEST(checkpoints().size() == 2u);
  const auto said = rc3::io::read_file(folder.path() / "said", 100'000);
  BOOST_TEST((said.find("stopped at step") != std::string::npos), said);
  BOOST_TEST((said.find("the same command goes on from there") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(SIGTERM_ends_a_run_that_finds_no_usable_sample) {
  for (const char* workers : {"0", "2"}) {
    const TempDir folder;
    const pid_t child =
        rc3::test::start_case("as_process/finds_no_usable_sample",
                              {"RC3_FOLDER=" + folder.path().string(), rc3::join("RC3_WORKERS=", workers)}, "error");
    BOOST_TEST_REQUIRE(until([&] { return fs::exists(folder.path() / "begins"); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto begin = std::chrono::steady_clock::now();
    ::kill(child, SIGTERM);
    BOOST_TEST(wait_for(child) == 0);
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    at_most(rc3::join("SIGTERM without usable data, ", workers, " workers, seconds"), waited.count(), 5);
    const auto said = rc3::io::read_file(folder.path() / "said", 100'000);
    BOOST_TEST((said.find("stopped at step 0") != std::string::npos), said);
  }
}

BOOST_AUTO_TEST_CASE(of_two_programs_in_one_folder_the_second_is_refused) {
  const TempDir folder;
  const pid_t first = start("trains_without_end", folder.path());
  BOOST_TEST_REQUIRE(until([&] { return fs::exists(folder.path() / "log.jsonl"); }));
  run_to_the_end("is_refused", folder.path());
  const auto reason = rc3::io::read_file(folder.path() / "refused", 10'000);
  BOOST_TEST((reason.find(rc3::join("another program writes here: process ", first, " on ")) != std::string::npos),
             reason);
  ::kill(first, SIGINT);  // it went on undisturbed
  BOOST_TEST(wait_for(first) == 0);
  BOOST_TEST(rc3::train::CheckpointStore<>(folder.path()).steps().size() == 1u);
}

struct Full : rc3::io::System {
  std::shared_ptr<int> fails = std::make_shared<int>(1);
  ssize_t write(int file, const void* data, std::size_t size) {
    if ((*fails)-- > 0) return errno = ENOSPC, -1;
    return System::write(file, data, size);
  }
};

BOOST_AUTO_TEST_CASE(a_last_checkpoint_that_cannot_be_written_is_an_error) {
  for (const bool asynchronous : {false, true}) {
    const TempDir folder;
    Full system;
    *system.fails = 1'000'000;
    rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({.steps = 6}));
    rc3::train::Run<tiny::Plain, rc3::Single, Full> run(
        trainer, {.checkpoint = {.folder = folder.path(), .every = 2, .asynchronous = asynchronous}}, nowhere, system);
    const tiny::Source source;
    rc3::data::DataErrors errors;
    rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, {.batch = {.size = 12}});
    throws_with([&] { run.train(loader); }, "step-6.tmp", "No space left on device");
    BOOST_TEST(run.unwritten() == 2);
    BOOST_TEST(trainer.steps() == 6);
    BOOST_TEST(rc3::train::CheckpointStore<>(folder.path()).steps().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_cannot_be_written_is_said_and_tried_again) {
  const TempDir folder;
  std::ostringstream said;
  rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({.steps = 6}));
  rc3::train::Run<tiny::Plain, rc3::Single, Full> run(
      trainer, {.checkpoint = {.folder = folder.path(), .every = 2, .asynchronous = false}}, said);
  const tiny::Source source;
  rc3::data::DataErrors errors;
  rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, {.batch = {.size = 12}});
  BOOST_TEST((run.train(loader) == rc3::train::StopReason::complete));
  BOOST_TEST(run.unwritten() == 1);
  BOOST_TEST((said.str().find("checkpoint not written") != std::string::npos));
  BOOST_TEST((said.str().find("No space left on device; tried again at the next") != std::string::npos), said.str());
  BOOST_TEST((rc3::train::CheckpointStore<>(folder.path()).steps() == std::vector<std::int64_t>{4, 6}));
}

BOOST_AUTO_TEST_CASE(the_best_checkpoint_stays_and_the_average_is_evaluated) {
  const TempDir folder;
  rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({.steps = 12}));
  rc3::train::Run<tiny::Plain> run(trainer, {.checkpoint = {.folder = folder.path(), .every = 100, .keep = 2}},
                                   nowhere);
  const double metrics[] = {0.2, 0.9, 0.4, 0.1, 0.3, 0.5};
  int at = 0;
  at::Tensor inside;
  run.evaluate(2, [&] {
    BOOST_TEST(!trainer.trained()->is_training());
    inside = trainer.trained()->model()->image->weight.detach().clone();
    return metrics[at++];
  });
  const tiny::Source source;
  rc3::data::DataErrors errors;
  rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, {.batch = {.size = 12}});
  run.train(loader);
  BOOST_TEST(inside.equal(trainer.ema()->state().at("model.image.weight")));  // as of the last evaluation, at the end
  BOOST_TEST(!inside.equal(trainer.trained()->model()->image->weight));
  BOOST_TEST(trainer.trained()->is_training());
  BOOST_TEST((rc3::train::CheckpointStore<>(folder.path()).steps() == std::vector<std::int64_t>{4, 10, 12}));
}

BOOST_AUTO_TEST_SUITE_END()
