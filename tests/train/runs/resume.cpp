// What a resume refuses, and what it remembers.
#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>

#include "support/support.hpp"
#include "train/runs/tiny.hpp"

BOOST_AUTO_TEST_SUITE(train_resume)

using namespace rc3::test;
using Run = rc3::train::Run<tiny::Plain>;

/// Runs in one folder, with configurations and data that may differ.
struct Resumed {
  rc3::train::RunOptions options(nlohmann::ordered_json configuration) const {
    return {.checkpoint = {.folder = folder.path(), .every = 100, .keep = 2, .asynchronous = false, .changes = changes},
            .configuration = std::move(configuration),
            .fixed = {"seed", "loader.window"},
            .training = {"learned.rate"}};
  }
  /// Trains up to @p steps. @return what the run says
  std::string train(std::int64_t steps, const nlohmann::ordered_json& configuration, const tiny::Source& source = {},
                    std::uint64_t seed = 3) {
    std::ostringstream said;
    rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({.steps = steps}));
    Run run(trainer, options(configuration), said);
    rc3::data::DataErrors errors;
    rc3::data::LoaderOptions loading{.batch = {.size = 12}, .changes = changes};
    loading.order.seed = seed;
    rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, loading, nullptr,
                             run.loader_state());
    run.train(loader);
    return said.str();
  }
  TempDir folder;
  rc3::data::Changes changes = rc3::data::Changes::refuse;
};

nlohmann::ordered_json configuration(int seed, double rate, const std::string& log = "a") {
  return {{"seed", seed}, {"loader", {{"window", 8}}}, {"learned", {{"rate", rate}}}, {"log", log}};
}

BOOST_FIXTURE_TEST_CASE(a_folder_has_one_writer, Resumed) {
  rc3::train::Trainer<tiny::Plain> first(tiny::make<tiny::Plain>(), tiny::options({})),
      second(tiny::make<tiny::Plain>(), tiny::options({}));
  std::ostringstream said;
  {
    const Run run(first, {.checkpoint = {.folder = folder.path()}}, said);
    throws_with([&] { Run(second, {.checkpoint = {.folder = folder.path()}}, said); }, "another program writes here",
                "process " + std::to_string(::getpid()));
  }
  const Run run(second, {.checkpoint = {.folder = folder.path()}}, said);
  BOOST_TEST(run.resumed_at() == 0);
}

BOOST_FIXTURE_TEST_CASE(options_that_a_resume_cannot_obey_are_refused, Resumed) {
  train(2, configuration(1, 0.1));
  throws_with([&] { train(4, configuration(2, 0.1)); }, "options that a resume cannot change", "seed was 1, is now 2",
              "checkpoint.changes=allow");
  // One that training reads: during the run it is taken, and said.
  const auto said = train(4, configuration(1, 0.2, "b"));
  BOOST_TEST(said.find("learned.rate was 0.1, is now 0.2") != std::string::npos, said);
  BOOST_TEST(said.find("log was \"a\", is now \"b\"") != std::string::npos, said);
  throws_with([&] { train(4, configuration(1, 0.3)); }, "a resume of a complete run cannot change",
              "learned.rate was 0.2, is now 0.3");
  changes = rc3::data::Changes::allow;
  BOOST_TEST(train(4, configuration(2, 0.3)).find("seed was 1, is now 2") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(another_seed_begins_the_next_epoch, Resumed) {
  train(2, configuration(1, 0.1));
  throws_with([&] { train(4, configuration(1, 0.1), {}, 7); }, "the seed was 3, is now 7");
  changes = rc3::data::Changes::allow;
  const auto said = train(4, configuration(1, 0.1), {}, 7);
  const std::string words = "begins epoch 1: the seed was 3, is now 7";
  const auto at = said.find(words);
  BOOST_TEST(at != std::string::npos, said);
  BOOST_TEST(said.find("begins epoch", at + words.size()) == std::string::npos, said);  // said once
}

BOOST_FIXTURE_TEST_CASE(a_resumed_run_knows_its_best_evaluation, Resumed) {
  const auto evaluated = [&](std::int64_t steps, double metric) {
    std::ostringstream said;
    rc3::train::Trainer<tiny::Plain> trainer(tiny::make<tiny::Plain>(), tiny::options({.steps = steps}));
    Run run(trainer, options(nullptr), said);
    const auto before = run.best();
    run.evaluate(2, [&] { return metric; });
    const tiny::Source source;
    rc3::data::DataErrors errors;
    rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, {.batch = {.size = 12}},
                             nullptr, run.loader_state());
    run.train(loader);
    return std::pair{before, run.best()};
  };
  BOOST_TEST(!evaluated(2, 0.7).first.has_value());
  const auto [before, after] = evaluated(4, 0.4);
  BOOST_TEST_REQUIRE(before.has_value());
  BOOST_TEST(before->metric == 0.7);
  BOOST_TEST(before->step == 2);
  BOOST_TEST(after->step == 2);
  BOOST_TEST(evaluated(6, 0.9).second->step == 6);
}

BOOST_AUTO_TEST_SUITE_END()
