#include <boost/test/unit_test.hpp>

#include <cmath>
#include <sstream>

#include "support/support.hpp"
#include "support/thread_communicator.hpp"
#include "train/runs/tiny.hpp"

using namespace rc3::test;
using rc3::train::report::Table;

namespace {

template <class Comm = rc3::Single>
struct Small {
  explicit Small(const std::filesystem::path& folder, std::shared_ptr<Comm> comm = std::make_shared<Comm>())
      : comm(comm),
        run(trainer,
            {.checkpoint = {.folder = folder},
             .configuration = {{"learned", {{"rate", 0.25}}}, {"name", "tables"}},
             .sources = {{"learned.rate", "command line"}, {"name", "default"}}},
            said) {}
  void train() {
    rc3::data::LoaderOptions loading;
    loading.batch = {.size = 12, .ranks = comm->size()};
    loading.rank = comm->rank();
    rc3::data::Loader loader(source, tiny::Prepare{}, rc3::data::CollateSamples(), errors, loading);
    run.train(loader);
  }
  std::shared_ptr<Comm> comm;
  std::ostringstream said;
  tiny::Source source;
  rc3::data::DataErrors errors;
  rc3::train::Trainer<tiny::Plain, Comm> trainer{tiny::make<tiny::Plain>(), tiny::options({.steps = 4}), comm};
  rc3::train::Run<tiny::Plain, Comm> run;
};

std::vector<Table> by_language() {
  return {{"Recall by language", {"@1", "@5"}, {{"de", {12.25, 43.5}, "seen"}, {"sw", {std::nan(""), 7.75}, "unseen"}}},
          {"Another", {"x"}, {{"y", {1}}}}};
}

std::string page(const std::filesystem::path& folder) { return rc3::io::read_file(folder / "report.html", 1 << 20); }
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(train_tables)

BOOST_AUTO_TEST_CASE(tables_reach_the_report_and_its_json) {
  const TempDir folder;
  Small<> small(folder.path());
  int asked = 0;
  at::Tensor inside;
  small.run.tables([&] {
    ++asked;
    BOOST_TEST(small.trainer.steps() == 4);
    BOOST_TEST(!small.trainer.trained()->is_training());
    inside = small.trainer.trained()->model()->image->weight.detach().clone();
    small.said << "what is found\n";
    return by_language();
  });
  small.train();
  BOOST_TEST(asked == 1);
  BOOST_TEST(small.said.str().find("train  4 steps in") < small.said.str().find("what is found"));
  BOOST_TEST(inside.equal(small.trainer.ema()->state().at("model.image.weight")));  // the average was in the module
  BOOST_TEST(!inside.equal(small.trainer.trained()->model()->image->weight));
  BOOST_TEST(small.trainer.trained()->is_training());

  const auto html = page(folder.path());
  for (const char* part : {"<h2>Recall by language</h2>", "<th scope=\"col\">@5</th>", ">unseen</th>",
                           "<th scope=\"row\">de</th>", ">12.2</td>", ">43.5</td>", "<td></td>", "<h2>Another</h2>",
                           "learned.rate  command line\nname          default\n"})
    BOOST_TEST(holds(html, part), part);
  const auto json = rc3::io::read_json(folder / "report.json");
  BOOST_TEST(json.at("subtitle") == "complete after step 4");
  BOOST_TEST_REQUIRE(json.at("tables").size() == 2u);
  const auto& table = json.at("tables")[0];
  BOOST_TEST(table.at("title") == "Recall by language");
  BOOST_TEST(table.at("columns") == (nlohmann::json{"@1", "@5"}));
  BOOST_TEST(table.at("rows")[0] == (nlohmann::json{{"name", "de"}, {"group", "seen"}, {"cells", {12.25, 43.5}}}));
  BOOST_TEST(table.at("rows")[1].at("cells") == (nlohmann::json{nullptr, 7.75}));
  BOOST_TEST(json.at("configuration").at("learned").at("rate") == 0.25);
  BOOST_TEST(json.at("sources").at("learned.rate") == "command line");
}

BOOST_AUTO_TEST_CASE(a_table_that_is_watched_stands_before_them) {
  const TempDir folder;
  std::ostringstream said;
  rc3::train::RunLogger watch({}, folder.path(), {"variant", {}, 1, 0}, said);
  watch.step({.step = 1, .loss = 2, .samples = 3, .took = 1});
  for (auto& table : by_language()) watch.table(std::move(table));
  watch.finish("complete", nullptr);
  const auto html = page(folder.path());
  BOOST_TEST(html.find("Recall by language") < html.find("Another"));
  BOOST_TEST(!holds(html, "where each value comes from"));  // nothing is known of it
  BOOST_TEST(rc3::io::read_json(folder / "report.json").at("tables").size() == 2u);
}

BOOST_AUTO_TEST_CASE(every_rank_is_asked_and_rank_0_writes) {
  const TempDir folder;
  std::array<int, 2> asked{};
  as_ranks(2, [&](ThreadCommunicator& comm) {
    Small small(folder.path(), std::make_shared<ThreadCommunicator>(comm));
    small.run.tables([&] {
      ++asked[static_cast<std::size_t>(comm.rank())];
      return std::vector<Table>{{rc3::join("of rank ", comm.rank()), {"x"}, {{"y", {1}}}}};
    });
    small.train();
  });
  BOOST_TEST(asked == (std::array{1, 1}), boost::test_tools::per_element());
  BOOST_TEST(holds(page(folder.path()), "of rank 0"));
  BOOST_TEST(!holds(page(folder.path()), "of rank 1"));
}

BOOST_AUTO_TEST_CASE(where_each_value_comes_from_is_kept_beside_the_configuration) {
  const TempDir folder;
  Small<> small(folder.path());
  small.train();
  BOOST_TEST(rc3::io::read_json(folder / "step-4/configuration.json").at("name") == "tables");
  BOOST_TEST(rc3::io::read_json(folder / "step-4/provenance.json") ==
             (nlohmann::json{{"learned.rate", "command line"}, {"name", "default"}}));
  // Nobody said it: there is no such file.
  const TempDir other;
  std::ostringstream said;
  tiny::train({.folder = other.path(), .steps = 1}, said);
  BOOST_TEST(!std::filesystem::exists(other / "step-1/provenance.json"));
}

BOOST_AUTO_TEST_CASE(a_measure_that_throws_leaves_the_module_as_it_was) {
  const TempDir folder;
  Small<> small(folder.path());
  at::Tensor average, weights;
  small.run.evaluate(2, [&]() -> double {
    average = small.trainer.trained()->model()->image->weight.detach().clone();
    weights = small.trainer.ema()->state().at("model.image.weight").clone();  // swapped for the time
    rc3::fail("no measure");
  });
  throws_with([&] { small.train(); }, "no measure");
  BOOST_TEST(small.trainer.trained()->is_training());
  BOOST_TEST(small.trainer.trained()->model()->image->weight.equal(weights));
  BOOST_TEST(small.trainer.ema()->state().at("model.image.weight").equal(average));
}

BOOST_AUTO_TEST_SUITE_END()
