#include "rc3/train/report.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>

#include "rc3/core/random.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(train_report)

using namespace rc3::test;
using namespace rc3::train::report;
using rc3::train::LogPoint;

namespace {

/// A run as it might have been: noisy losses that fall, a step that failed, languages in three groups.
Report sample() {
  rc3::Random random(1);
  std::vector<LogPoint> points;
  for (std::int64_t step = 10; step <= 20000; step += 10) {
    const auto t = static_cast<double>(step) / 20000;
    const double itc = 1.2 + 3 * std::exp(-6 * t) + 0.15 * random.normal(),
                 x = 0.5 + 2 * std::exp(-9 * t) + 0.1 * random.normal();
    points.push_back({step,
                      {{"loss", step == 9000 ? std::nan("") : itc + x},
                       {"loss/Itc", itc},
                       {"loss/RXvtcl", x},
                       {"learning_rate", 3e-4 * std::min(1.0, t * 20) * (1 - t)},
                       {"gradient_norm", std::exp(0.7 * random.normal() + 1 - 2 * t)},
                       {"samples_per_second", 512 + 9 * random.normal()}}});
  }
  Report report;
  report.title = "Pretrainer<Model<visual::Both<visual::Roi, visual::Patch<backbone::Vit>>, text::XlmRoberta>>";
  report.subtitle = "complete after 20,000 steps";
  report.summary = {{"steps", "20,000"},  {"samples", "5.1 M"},          {"time", "2h47m"},
                    {"samples/s", "512"}, {"waiting for data", "0.3 %"}, {"loss", "1.71"}};
  report.charts = charts_of(points);
  Table table{"Text to image, recall@K in percent", {"R@1", "R@5", "R@10", "before R@1"}, {}};
  for (const char* language : {"en", "de", "fr", "cs", "ja", "zh"})
    table.rows.push_back(
        {language, {random.uniform(15, 22), random.uniform(38, 48), random.uniform(50, 60), 0.4}, "strict"});
  for (const char* language : {"sw", "ta", "th", "hi", "ar"})
    table.rows.push_back({language, {random.uniform(10, 16), random.uniform(28, 38), std::nan(""), 0.3}, "never seen"});
  report.tables.push_back(table);
  report.configuration = {{"seed", 1}, {"optimizer", {{"learning_rate", 3e-4}}}};
  report.environment = rc3::train::report::environment();
  return report;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ticks_are_round_numbers_inside) {
  const auto is = [](const std::vector<double>& got, const std::vector<double>& wanted) {
    BOOST_TEST_REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) at_most("tick", std::abs(got[i] - wanted[i]), 1e-9);
  };
  is(ticks(0, 10), {0, 2, 4, 6, 8, 10});
  is(ticks(0.13, 0.58), {0.2, 0.3, 0.4, 0.5});
  is(ticks(-3, 7), {-2, 0, 2, 4, 6});
  is(ticks(10, 20000, 7), {5000, 10000, 15000, 20000});
  is(ticks(1e-6, 4e-6, 4), {1e-6, 2e-6, 3e-6, 4e-6});
}

BOOST_AUTO_TEST_CASE(a_spike_and_a_gap_survive_thinning) {
  Series s{"loss", {}, {}};
  for (int i = 0; i < 10000; ++i) {
    s.x.push_back(i);
    s.y.push_back(i == 4321 ? 1000 : i == 8765 ? -1000 : i == 7000 ? std::nan("") : std::sin(i * 0.01));
  }
  const auto t = thinned(s, 200);
  BOOST_TEST(t.x.size() <= 400u);
  BOOST_TEST(std::count(t.y.begin(), t.y.end(), 1000.0) == 1);
  BOOST_TEST(std::count(t.y.begin(), t.y.end(), -1000.0) == 1);
  BOOST_TEST(std::count_if(t.y.begin(), t.y.end(), [](double y) { return std::isnan(y); }) == 1);
  BOOST_TEST(std::is_sorted(t.x.begin(), t.x.end()));
  BOOST_TEST(thinned({"a", {1, 2}, {3, 4}}, 5).x.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_average_by_hand) {
  const auto a = average({"a", {0, 1, 2, 3}, {1, 3, std::nan(""), 5}}, 2);
  at_most("first", std::abs(a.y[0] - 1), 1e-12);
  at_most("second", std::abs(a.y[1] - (0.25 * 1 + 0.5 * 3) / 0.75), 1e-12);
  BOOST_TEST(std::isnan(a.y[2]));
  at_most("fourth", std::abs(a.y[3] - (0.125 * 1 + 0.25 * 3 + 0.5 * 5) / 0.875), 1e-12);
}

BOOST_AUTO_TEST_CASE(curves_lie_where_their_numbers_say) {
  const Chart chart{"two <points>", {{"a", {0, 10}, {1, 3}}}, false, false};
  const auto svg = Drawing(chart).svg();
  // y runs from 1 - 0.08 to 3 + 0.08 over 218 units: 1 lies 0.08 / 2.16 of them above the bottom.
  const double bottom = Drawing::height - Drawing::bottom, span = bottom - Drawing::top;
  char d[64];
  std::snprintf(d, sizeof d, "M58.0 %.1fL626.0 %.1f", bottom - span * 0.08 / 2.16, bottom - span * 2.08 / 2.16);
  BOOST_TEST((svg.find(d) != std::string::npos), svg);
  BOOST_TEST((svg.find("aria-label=\"two &lt;points&gt;\"") != std::string::npos));
  const Chart gap{"g", {{"a", {0, 1, 2, 3, 4}, {1, 2, std::nan(""), 2, 1}}}, false, false};
  BOOST_TEST(count(Drawing(gap).svg(), "M") == 2u);
  const Chart logarithmic{"l", {{"a", {0, 1, 2}, {1, 100, 0}}}, true, false};
  BOOST_TEST((Drawing(logarithmic).svg().find(">100<") != std::string::npos), Drawing(logarithmic).svg());
  for (const auto& empty : {Chart{"nothing", {}, false, false}, Chart{"one", {{"a", {5}, {5}}}, false, false},
                            Chart{"none", {{"a", {5}, {std::nan("")}}}, true, true}})
    BOOST_TEST((Drawing(empty).svg().find("nan") == std::string::npos), Drawing(empty).svg());
  throws_with([] { Drawing(Chart{"c", {{"a", {1}, {}}}, false, false}); }, "series a has 1 x and 0 y");
}

BOOST_AUTO_TEST_CASE(an_evaluation_between_two_steps_cuts_no_curve) {
  const auto charts = charts_of(
      {{1, {{"loss", 3}, {"epoch", 0}}}, {1, {{"metric", 0.5}}}, {2, {{"loss", std::nan("")}}}, {3, {{"loss", 1}}}});
  BOOST_TEST_REQUIRE(charts.size() == 2u);
  BOOST_TEST(charts[0].title == "loss");
  BOOST_TEST(charts[0].series[0].x.size() == 3u);
  BOOST_TEST(charts[1].title == "metric");
  BOOST_TEST(charts[1].series[0].y == std::vector<double>{0.5}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_comes_from_outside_cannot_break_the_page) {
  const std::string bad = "<script>alert('x')</script>\"&";
  Report report;
  report.title = report.subtitle = bad;
  report.summary = {{bad, bad}};
  report.charts = {{bad, {{bad, {1, 2}, {1, 2}}, {bad, {1, 2}, {1, 2}}}, false, false}};
  report.tables = {{bad, {bad}, {{bad, {1}, bad}}}};
  report.configuration = {{bad, bad}};
  report.environment = report.sources = {{bad, bad}};
  const auto page = html(report);
  BOOST_TEST(count(page, "<script") == 0u);
  BOOST_TEST(count(page, "&lt;script&gt;") > 10u);
  report.tables[0].rows[0].cells.clear();
  throws_with([&] { html(report); }, "has 0 cells for 1 columns");
}

BOOST_AUTO_TEST_CASE(the_best_of_each_group_is_bold) {
  Report report;
  Table table{"t",
              {"a", "b"},
              {{"x", {1, 5}, "g"}, {"y", {2, 5}, "g"}, {"z", {3, 4}, "h"}, {"w", {2, 7}, "h"}, {"v", {9, 9}, "one"}}};
  const auto bold = [&] {
    report.tables = {table};
    const auto page = html(report);
    std::string found;
    for (std::size_t at = page.find("class=\"best\""); at != std::string::npos;
         at = page.find("class=\"best\"", at + 1)) {
      const auto begin = page.find('>', at) + 1;
      found += page.substr(begin, page.find('<', begin) - begin) + ' ';
    }
    return found;
  };
  BOOST_TEST(bold() == "2.0 3.0 7.0 ");  // of equal ones none, nor one that is alone
  table.best = false;
  BOOST_TEST(bold() == "");
}

BOOST_AUTO_TEST_CASE(its_json_has_every_number) {
  const TempDir folder;
  const auto report = sample();
  write_report_json(folder / "report.json", report);
  const auto read = rc3::io::read_json(folder / "report.json");
  BOOST_TEST(read == nlohmann::json::parse(json(report).dump()));
  BOOST_TEST(read.at("title") == report.title);
  BOOST_TEST(read.at("summary").at("samples/s") == "512");
  BOOST_TEST(read.at("configuration").at("optimizer").at("learning_rate") == 3e-4);
  BOOST_TEST(read.at("environment").size() == report.environment.size());
  const auto& rows = read.at("tables")[0].at("rows");
  BOOST_TEST_REQUIRE(rows.size() == report.tables[0].rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto& row = report.tables[0].rows[r];
    BOOST_TEST(rows[r].at("name") == row.name);
    BOOST_TEST(rows[r].at("group") == row.group);
    BOOST_TEST_REQUIRE(rows[r].at("cells").size() == row.cells.size());
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const auto& cell = rows[r].at("cells")[c];
      BOOST_TEST((std::isfinite(row.cells[c]) ? cell == row.cells[c] : cell.is_null()));
    }
  }
}

BOOST_AUTO_TEST_CASE(python_reads_the_page) {
  if (rc3::test::environment("RC3_TEST_PYTHON").empty()) return;
  const TempDir folder;
  const auto given = rc3::test::environment("RC3_REPORT");
  const std::filesystem::path page = given.empty() ? folder / "report.html" : std::filesystem::path(given);
  const auto report = sample();
  write_report(page, report);
  const std::string command =
      rc3::join("'", rc3::test::environment("RC3_TEST_PYTHON"), "' '", source("tests/train/read_report.py").string(),
                "' '", page.string(), "' > '", (folder / "out").string(), "'");
  BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
  std::istringstream out(rc3::io::read_file(folder / "out", 1 << 20));
  int paths = 0, outside = -1;
  out >> paths >> outside;
  BOOST_TEST(paths == 11);  // five smoothed, each with what was measured, and the learning rate
  at_most("points of curves outside their chart", outside, 0);
  for (const auto& row : report.tables[0].rows)
    for (const double cell : row.cells) {
      std::string shown;
      out >> shown;
      if (std::isfinite(cell))
        at_most("cell against its number", std::abs(std::stod(shown) - cell), 0.0501);
      else
        BOOST_TEST(shown == "-");
    }
}

BOOST_AUTO_TEST_SUITE_END()
