#include "rc3/config/config.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "rc3/train/fields.hpp"
#include "support/support.hpp"
#ifdef RC3_TEST_CLI11
#include "rc3/config/arguments.hpp"
#endif

using namespace rc3::test;
using namespace rc3::config;
using rc3::train::AdamWOptions;
using rc3::train::Decay;
using rc3::train::Precision;

namespace {

/// What an experiment of a user's own may be told.
struct Experiment {
  std::filesystem::path data = "shards";
  std::vector<std::string> languages = {"en", "de"};
  rc3::train::Options train = {};
  rc3::train::CheckpointOptions checkpoint = {};
  rc3::train::LogOptions log = {};
};
template <class V>
void visit_fields(Experiment& e, V&& v) {
  v("data", e.data, "folder of shards");
  v("languages", e.languages, "languages to read");
  v("train", e.train, "the trainer");
  v("checkpoint", e.checkpoint, "checkpoints");
  v("log", e.log, "log");
}

std::filesystem::path file(const TempDir& folder, const std::string& text) {
  rc3::io::write_file(folder / "config.json", text);
  return folder / "config.json";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_options)

BOOST_AUTO_TEST_CASE(a_file_changes_what_it_names) {
  const TempDir folder;
  Experiment e;
  read_config(
      file(
          folder,
          R"({"data": "wit", "train": {"optimizer": {"learning_rate": 1e-4, "layer_decay": {"text.": 0.9, "visual.": 0.8}},
                                "schedule": {"decay": "linear"}, "freeze": ["text.word.*"], "precision": "float32"}, "log": {"report": false}})"),
      e);
  BOOST_TEST(e.data == "wit");
  BOOST_TEST(e.train.optimizer.learning_rate == 1e-4);
  BOOST_TEST_REQUIRE(e.train.optimizer.layer_decay.size() == 2u);
  BOOST_TEST(e.train.optimizer.layer_decay[0].part == "text.");
  BOOST_TEST(e.train.optimizer.layer_decay[1].rate == 0.8);
  BOOST_TEST((e.train.schedule.decay == Decay::linear));
  BOOST_TEST((e.train.precision == Precision::float32));
  BOOST_TEST(e.train.freeze == std::vector<std::string>{"text.word.*"}, boost::test_tools::per_element());
  BOOST_TEST(!e.log.report);
  BOOST_TEST(e.train.optimizer.weight_decay == AdamWOptions{}.weight_decay);
  BOOST_TEST(e.checkpoint.keep == 3);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_what_is_read) {
  Experiment e;
  e.train.optimizer.learning_rate = 0.1 + 0.2;
  e.train.optimizer.rates = {{"b", 2}, {"a", 0.5}};  // their order counts
  e.train.seed = 18446744073709551615u;
  e.train.schedule.decay = Decay::constant;
  e.checkpoint.folder = "runs/ä";
  const auto json = to_json(e);
  Experiment again;
  from_json(json, again, "test");
  BOOST_TEST(to_json(again) == json);
  BOOST_TEST(again.train.optimizer.learning_rate == e.train.optimizer.learning_rate);
  BOOST_TEST(again.train.optimizer.rates[0].part == "b");
  BOOST_TEST(again.train.seed == e.train.seed);
  BOOST_TEST(json.begin().key() == "data");  // in the order of the list
}

BOOST_AUTO_TEST_CASE(where_a_value_comes_from_is_known_of_every_option) {
  const TempDir folder;
  Experiment e;
  auto sources = default_provenance(e);
  const auto path = file(folder, R"({"train": {"ema": 0.5, "optimizer": {"rates": {"a": 2}}}, "data": "shards"})");
  const auto set = read_config(path, e);
  BOOST_TEST(set == (std::vector<std::string>{"data", "train.optimizer.rates", "train.ema"}),
             boost::test_tools::per_element());  // also what is set to its default
  set_provenance(sources, set, path.string());
  set_provenance(sources, {"train.ema"}, "command line");
  const auto json = provenance_to_json(sources);
  BOOST_TEST(json.size() == sources.size());
  BOOST_TEST(json.begin().key() == "data");
  for (const auto& [name, where] : sources)
    BOOST_TEST(where == (name == "train.ema"                                 ? "command line"
                         : name == "data" || name == "train.optimizer.rates" ? path.string()
                                                                             : "default"),
               name);
  throws_with([&] { set_provenance(sources, {"train.em"}, "x"); }, "there is no option \"train.em\"");

  const auto text = described(e, sources);
  BOOST_TEST(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) == sources.size());
  const auto line = [&](const std::string& name) {
    const auto at = text.find(name + ' ');
    std::istringstream words(text.substr(at, text.find('\n', at) - at));
    return std::vector<std::string>(std::istream_iterator<std::string>(words), {});
  };
  const auto is = [&](const std::vector<std::string>& wanted) {
    BOOST_TEST(line(wanted[0]) == wanted, boost::test_tools::per_element());
  };
  is({"data", "\"shards\"", path.string()});
  is({"languages", R"(["en","de"])", "default"});
  is({"train.optimizer.rates", R"({"a":2.0})", path.string()});
  is({"train.ema", "0.5", "command", "line"});
  is({"train.precision", "\"automatic\"", "default"});
}

BOOST_AUTO_TEST_CASE(every_field_of_the_options_is_listed) {
  // A field that somebody adds and forgets to list makes the binding fail to compile: count them here, list it there.
  auto& [optimizer, schedule, precision, seed, accumulate, ema, freeze, max_consecutive_skips] =
      *std::make_unique<rc3::train::Options>();
  auto& [rate, b1, b2, eps, decay, clip, rates, layers] = optimizer;
  auto& [warmup, total, floor, way] = schedule;
  auto& [folder, every, keep, asynchronous, changes] = *std::make_unique<rc3::train::CheckpointOptions>();
  auto& [log_every, tensorboard, report] = *std::make_unique<rc3::train::LogOptions>();
  (void)precision, (void)seed, (void)accumulate, (void)ema, (void)freeze, (void)max_consecutive_skips, (void)rate,
      (void)b1;
  (void)b2, (void)eps, (void)decay, (void)clip, (void)rates, (void)layers, (void)warmup, (void)total, (void)floor;
  (void)way, (void)folder, (void)every, (void)keep, (void)asynchronous, (void)changes, (void)log_every,
      (void)tensorboard, (void)report;
  Experiment e;
  std::set<std::string> names;
  for_each_field(e, [&](const std::string& path, const auto&, const char* doc, const Bounds&) {
    BOOST_TEST(names.insert(path).second, path);
    BOOST_TEST(std::string(doc).size() > 3u);
  });
  BOOST_TEST(names.size() == 2u + 8 - 2 + 8 + 4 + 5 + 3);
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const TempDir folder;
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"train": {"optimizer": {"learning_rat": 1}}})",
       "there is no option \"train.optimizer.learning_rat\"; did you mean \"train.optimizer.learning_rate\"?"},
      {R"({"dato": 1})", "there is no option \"dato\"; did you mean \"data\"?"},
      {R"({"train": {"optimizer": {"learning_rate": 0}}})", "\"train.optimizer.learning_rate\" must be above 0, is 0"},
      {R"({"train": {"optimizer": {"beta1": 1}}})", "\"train.optimizer.beta1\" must be in [0, 1), is 1"},
      {R"({"train": {"schedule": {"floor": 1.5}}})", "\"train.schedule.floor\" must be in [0, 1], is 1.5"},
      {R"({"train": {"optimizer": {"learning_rate": "fast"}}})",
       "\"train.optimizer.learning_rate\" must be a number, is \"fast\""},
      {R"({"train": {"accumulate": 1.5}})", "\"train.accumulate\" must be an integer, is 1.5"},
      {R"({"train": {"seed": -1}})", "\"train.seed\" must be an integer in range, is -1"},
      {R"({"train": {"precision": "half"}})",
       "must be one of \"automatic\" \"float32\" \"bfloat16\" \"int8\", is \"half\""},
      {R"({"train": {"optimizer": {"rates": {"text.": -1}}}})", "an object of rates, each at least 0"},
      {R"({"train": {"optimizer": 3}})", "\"train.optimizer\" must be an object of options"},
      {R"({"checkpoint": {"keep": 1}})", "\"checkpoint.keep\" must be at least 2, is 1"},
      {R"({"data": "a", "data": "b"})", "the key \"data\" is given twice"},
      {R"([1])", "an object of options is expected"},
      {R"({"data": )", "not JSON"}};
  for (const auto& [text, expected] : wrong) {
    Experiment e;
    const auto path = file(folder, text);
    throws_with([&] { read_config(path, e); }, path.string() + ": ", expected);
    BOOST_TEST(to_json(e) == to_json(Experiment{}));
  }
  rc3::train::Options options;
  options.ema = 1;
  throws_with([&] { check(options); }, "\"ema\" must be in [0, 1), is 1");
}

#ifdef RC3_TEST_CLI11
namespace {
Experiment parsed(std::vector<std::string> arguments, Provenance* sources = nullptr) {
  Experiment e;
  CLI::App app;
  add_options(app, e, sources);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes a vector
  app.parse(arguments);
  return e;
}
}  // namespace

BOOST_AUTO_TEST_CASE(the_command_line_goes_before_the_file_and_the_file_before_the_defaults) {
  const TempDir folder;
  const auto path =
      file(folder, R"({"data": "file", "train": {"ema": 0.5, "schedule": {"total": 7}}, "log": {"report": false}})");
  for (const bool first : {true, false}) {
    std::vector<std::string> arguments{"--train.ema", "0.25", "--log.report", "--languages=ja,sw"};
    const std::vector<std::string> config{"--config", path.string()};
    arguments.insert(first ? arguments.begin() : arguments.end(), config.begin(), config.end());
    Provenance sources;
    const auto e = parsed(arguments, &sources);
    for (const auto& [name, where] : sources)
      BOOST_TEST(where == (name == "train.ema" || name == "log.report" || name == "languages" ? "command line"
                           : name == "data" || name == "train.schedule.total"                 ? path.string()
                                                                                              : "default"),
                 name);
    BOOST_TEST(sources.size() == default_provenance(e).size());
    BOOST_TEST(e.data == "file");
    BOOST_TEST(e.train.ema == 0.25);
    BOOST_TEST(e.train.schedule.total == 7);
    BOOST_TEST(e.train.schedule.warmup == 100);
    BOOST_TEST(e.log.report);
    BOOST_TEST(e.languages == (std::vector<std::string>{"ja", "sw"}), boost::test_tools::per_element());
  }
  const auto e = parsed(
      {"--train.optimizer.rates", "text.=0.1,a=b=2", "--train.schedule.decay=linear", "--log.tensorboard=false"});
  BOOST_TEST_REQUIRE(e.train.optimizer.rates.size() == 2u);
  BOOST_TEST(e.train.optimizer.rates[0].rate == 0.1);
  BOOST_TEST(e.train.optimizer.rates[1].part == "a=b");
  BOOST_TEST((e.train.schedule.decay == Decay::linear));
  BOOST_TEST(!e.log.tensorboard);
}

BOOST_AUTO_TEST_CASE(a_wrong_argument_is_named) {
  throws_with(
      [] {
        parsed({"--train.optimizer.learning_rate", "0"});
      },
      "command line: \"train.optimizer.learning_rate\" must be above 0, is 0");
  throws_with([] { parsed({"--train.optimizer.learning_rate", "fast"}); }, "must be a number, is \"fast\"");
  throws_with([] { parsed({"--train.schedule.decay", "step"}); }, "must be one of \"cosine\" \"linear\" \"constant\"");
  throws_with([] { parsed({"--train.optimizer.rates", "text."}); }, "an object of rates");
  BOOST_CHECK_THROW(parsed({"--train.optimizer.learning_rat", "1"}), CLI::ParseError);
  throws_with([] { parsed({"--config", "/none"}); }, "/none: cannot open");
}

BOOST_AUTO_TEST_CASE(the_help_names_groups_defaults_and_bounds) {
  Experiment e;
  CLI::App app;
  add_options(app, e);
  const auto help = app.help();
  for (const char* part :
       {"train.optimizer:", "--train.optimizer.learning_rate", "TEXT=0.001", "base learning rate, above 0",
        "decay of the learning rate after warm-up: cosine linear constant", "--config"})
    BOOST_TEST((help.find(part) != std::string::npos), part << "\n" << help);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
