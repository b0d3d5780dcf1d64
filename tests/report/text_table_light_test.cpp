#include "rc3/report/text_table.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(report_text_table)

BOOST_AUTO_TEST_CASE(columns_align) {
  rc3::report::TextTable table({"language", "R@1"});
  table.rule().row({"日本語", "4.0"}).rule().row({"chance", "12.25"});
  BOOST_TEST(table.text() == "language    R@1\n────────  ─────\n日本語      4.0\n────────  ─────\nchance    12.25\n");
  rc3::test::throws_with([&] { table.row({"one"}); }, "1 cells", "2");
}

BOOST_AUTO_TEST_SUITE_END()
