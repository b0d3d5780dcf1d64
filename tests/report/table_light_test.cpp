#include "rc3/report/table.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

BOOST_AUTO_TEST_SUITE(report_table)

BOOST_AUTO_TEST_CASE(groups_and_empty_cells) {
  rc3::report::Table table{
      "Recall", {"R@1", "R@10"}, {{"日本語", {4, 10}, "read"}, {"sw", {NAN, 100}, "read"}, {"guessing", {1}}}};
  BOOST_TEST(rc3::report::text_of(table) ==
             "Recall\n"
             "          R@1   R@10\n"
             "read\n"
             "  日本語  4.0   10.0\n"
             "  sw           100.0\n"
             "guessing  1.0\n");
}

BOOST_AUTO_TEST_SUITE_END()
