#include "rc3/train/progress.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <sstream>

#include "rc3/report/width.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_progress)

using rc3::train::Progress;

namespace {

int count(const std::string& text, std::string_view part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// A progress with a clock that the test turns.
struct Run {
  double now = 100;
  std::ostringstream out;
  std::optional<Progress> progress;
  Run(std::int64_t total, bool terminal, Progress::Options options = {}) {
    progress.emplace(total, out, terminal, options, [this] { return now; });
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(times_are_short) {
  using rc3::train::format_seconds;
  BOOST_TEST(format_seconds(0) == "0s");
  BOOST_TEST(format_seconds(59.4) == "59s");
  BOOST_TEST(format_seconds(59.6) == "1m00s");
  BOOST_TEST(format_seconds(125) == "2m05s");
  BOOST_TEST(format_seconds(3840) == "1h04m");
  BOOST_TEST(format_seconds(INFINITY) == "?");
  BOOST_TEST(format_seconds(NAN) == "?");
  BOOST_TEST(format_seconds(-1) == "?");
}

BOOST_AUTO_TEST_CASE(bars_have_one_width) {
  using rc3::train::format_bar;
  BOOST_TEST(format_bar(0, 3) == "   ");
  BOOST_TEST(format_bar(0.5, 3) == "█▌ ");
  BOOST_TEST(format_bar(1, 3) == "███");
  BOOST_TEST(format_bar(7, 3) == "███");
  for (double share = -0.1; share < 1.1; share += 0.013) BOOST_TEST(rc3::report::columns(format_bar(share, 24)) == 24);
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_one_line_redrawn_now_and_then) {
  Run run(1000, true);
  for (int i = 1; i <= 1000; ++i) {
    run.now += 0.01;
    run.progress->update(i, 2.0);
  }
  run.progress->finish();
  const std::string text = run.out.str();
  BOOST_TEST(count(text, "\r") >= 90);
  BOOST_TEST(count(text, "\r") <= 110);  // ten seconds at ten a second
  BOOST_TEST(count(text, "\n") == 1);
  BOOST_TEST(count(text, "\x1b[K") == count(text, "\r"));
  BOOST_TEST(count(text, "loss 2") > 0);
  BOOST_TEST(count(text, "1000 items in 10s") == 1);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line, '\r');) BOOST_TEST(rc3::report::columns(line) < 80);
}

BOOST_AUTO_TEST_CASE(a_file_gets_plain_lines) {
  Run run(1000, false, {.every_seconds = 1000, .every_share = 0.25});
  for (int i = 1; i <= 1000; ++i) {
    run.now += 0.01;
    run.progress->update(i, 2.0);
  }
  run.progress->finish();
  run.progress->finish();
  const std::string text = run.out.str();
  BOOST_TEST(count(text, "\n") == 5);
  BOOST_TEST(count(text, "\r") == 0);
  BOOST_TEST(count(text, "\x1b") == 0);
  BOOST_TEST(count(text, "train  25%  loss 2  100 items/s  8s left\n") == 1);

  Run slow(1000, false, {.every_seconds = 15, .every_share = 1});
  for (int i = 1; i <= 60; ++i) {
    slow.now += 1;
    slow.progress->update(i, 1.0);
  }
  BOOST_TEST(count(slow.out.str(), "\n") == 4);
}

BOOST_AUTO_TEST_CASE(rate_is_smooth_and_follows) {
  Run run(100000, true);
  run.now += 60;  // set-up is no part of the rate
  run.progress->update(0, 3.0);
  int done = 0;
  const auto steps = [&](int n, double seconds) {
    for (int i = 0; i < n; ++i) {
      run.now += seconds;
      run.progress->update(done += 10, 3.0);
    }
  };
  steps(3, 0.1);
  BOOST_TEST(std::abs(run.progress->rate() - 100) < 1e-6);
  BOOST_TEST(std::abs(run.progress->seconds_left() - (100000.0 - done) / 100) < 1e-3);
  steps(1, 0.4);  // one slow step moves it little
  BOOST_TEST(run.progress->rate() > 50);
  steps(100, 0.4);
  BOOST_TEST(std::abs(run.progress->rate() - 25) < 0.1);
}

BOOST_AUTO_TEST_CASE(odd_input_does_no_harm) {
  Run run(10, false, {.every_share = 0.01});
  run.progress->update(1, std::numeric_limits<double>::quiet_NaN());
  run.now += 1;
  run.progress->update(2, 4.0);
  run.progress->update(1, 4.0);  // never back
  run.progress->update(99, 4.0);
  BOOST_TEST(count(run.out.str(), "loss nan") + count(run.out.str(), "loss -nan") == 1);
  BOOST_TEST(count(run.out.str(), "loss 4") >= 1);
  BOOST_TEST(count(run.out.str(), "100%") == 1);
  rc3::test::throws_with([] { Run(0, false); }, "total", "is 0");
  rc3::test::throws_with([] { Run(1, false, {.smoothing = 0}); }, "smoothing");
}

BOOST_AUTO_TEST_CASE(an_error_does_not_stand_in_the_bar) {
  Run run(10, true);
  run.progress->update(1, 1.0);
  run.progress.reset();
  BOOST_TEST(run.out.str().back() == '\n');
}

BOOST_AUTO_TEST_SUITE_END()
