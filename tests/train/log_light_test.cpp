#include "rc3/train/log.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_log)

using namespace rc3::test;
using rc3::train::JsonlLog;
using rc3::train::LogPoint;
using rc3::train::read_log;

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  const TempDir folder;
  {
    JsonlLog log(folder / "log.jsonl");
    log.add({10, {{"loss", 0.1 + 0.2}, {"Itc", std::nan("")}}});
    log.add({20, {{"loss", -1e-300}}});
  }
  const auto points = read_log(folder / "log.jsonl");
  BOOST_TEST_REQUIRE(points.size() == 2u);
  BOOST_TEST(points[0].step == 10);
  BOOST_TEST(points[0]["loss"] == 0.1 + 0.2);
  BOOST_TEST(std::isnan(points[0]["Itc"]));
  BOOST_TEST(points[0].values.size() == 2u);
  BOOST_TEST(points[1]["loss"] == -1e-300);
  BOOST_TEST(std::isnan(points[1]["none"]));
  BOOST_TEST(rc3::io::read_file(folder / "log.jsonl", 1000).substr(0, 60) ==
             "{\"step\":10,\"loss\":0.30000000000000004,\"Itc\":null}\n{\"step\":20");
}

BOOST_AUTO_TEST_CASE(a_resumed_run_forgets_what_came_after_its_checkpoint) {
  const TempDir folder;
  const auto path = folder / "log.jsonl";
  {
    JsonlLog log(path);
    for (const std::int64_t step : {1, 2, 3, 4}) log.add({step, {{"loss", static_cast<double>(step)}}});
  }
  rc3::io::write_file(path, rc3::io::read_file(path, 1000) + "{\"step\":5,\"lo");  // killed in the middle of a line
  {
    JsonlLog log(path, 2);
    log.add({3, {{"loss", 30}}});
  }
  const auto points = read_log(path);
  BOOST_TEST_REQUIRE(points.size() == 3u);
  BOOST_TEST(points[1]["loss"] == 2);
  BOOST_TEST(points[2]["loss"] == 30);
}

BOOST_AUTO_TEST_CASE(a_damaged_line_is_named) {
  const TempDir folder;
  const auto with = [&](const std::string& text) {
    rc3::io::write_file(folder / "l", text);
    return [path = folder / "l"] { read_log(path); };
  };
  throws_with(with("{\"step\":1}\nnonsense\n"), "l:2: not JSON");
  throws_with(with("{\"loss\":1}\n"), "l:1: the key \"step\" is missing");
  throws_with(with("{\"step\":1,\"loss\":\"low\"}\n"), "l:1: \"loss\" must be a number or null");
  throws_with([&] { JsonlLog log(folder / "none/log.jsonl"); }, "cannot write");
}

BOOST_AUTO_TEST_SUITE_END()
