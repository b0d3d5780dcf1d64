#include "rc3/train/events.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

#include "rc3/io/json.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_events)

using namespace rc3;
using test::throws_with;
using train::EventFile;

BOOST_AUTO_TEST_CASE(tensorboard_reads_what_was_said) {
  const test::TempDir folder;
  double time = 1'700'000'000.25;
  const auto clock = [&] { return time += 0.5; };
  const std::string german = "verlust/Ähnlichkeit";
  {
    EventFile events(folder / "run", 0, clock);
    for (std::int64_t step = 0; step < 300; ++step)
      events.scalar("loss/total", step, 1.0 / static_cast<double>(step + 1));
    events.scalar(german, 7, -0.125);
    events.scalar("odd", 1, std::numeric_limits<double>::quiet_NaN());
  }
  {
    EventFile again(folder / "run", 200, clock);  // killed, and gone on from step 200
    again.scalar("loss/total", 200, 42);
    again.scalar("rate", 5'000'000'000, 1e-30);
    EventFile beside(folder / "run", 0, [] { return 1'700'000'000.0; });
    EventFile another(folder / "run", 0, [] { return 1'700'000'000.0; });
    BOOST_TEST(beside.path() != another.path());
    std::filesystem::remove(beside.path());
    std::filesystem::remove(another.path());
  }
  const std::string python = test::environment("RC3_TEST_PYTHON");
  if (python.empty()) {
    std::cout << "skipped: RC3_TEST_PYTHON is not set\n";
    return;
  }
  const auto script = test::source("tests/train/read_events.py");
  const auto out = folder / "read.json";
  const std::string command =
      "'" + python + "' '" + script.string() + "' '" + (folder / "run").string() + "' > '" + out.string() + "'";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  const auto read = io::read_json(out);
  const auto& loss = read.at("loss/total");
  BOOST_TEST(loss.size() == 201u);  // 0 .. 199 of the first file, and 200 of the second
  for (std::size_t i = 0; i < 200; ++i) {
    BOOST_TEST(loss[i].at(0).get<std::int64_t>() == static_cast<std::int64_t>(i));
    BOOST_TEST(loss[i].at(1).get<double>() == static_cast<double>(1.0f / static_cast<float>(i + 1)));
    BOOST_TEST(loss[i].at(2).get<double>() == 1'700'000'000.25 + 0.5 * static_cast<double>(i + 3));
  }
  BOOST_TEST(loss[200].at(1).get<double>() == 42.0);
  BOOST_TEST(read.at(german)[0].at(1).get<double>() == -0.125);
  BOOST_TEST(read.at("rate")[0].at(0).get<std::int64_t>() == 5'000'000'000);
  BOOST_TEST(read.at("rate")[0].at(1).get<double>() == static_cast<double>(1e-30f));
  BOOST_TEST(read.at("odd")[0].at(1).is_null());
}

BOOST_AUTO_TEST_CASE(what_it_refuses) {
  const test::TempDir folder;
  EventFile events(folder.path());
  throws_with([&] { events.scalar("", 0, 1); }, "needs a tag");
  throws_with([&] { events.scalar("a", -1, 1); }, "a step >= 0");
  io::write_file(folder / "file", "");
  throws_with([&] { EventFile(folder / "file" / "run"); }, "cannot make the folder");
}

BOOST_AUTO_TEST_SUITE_END()
