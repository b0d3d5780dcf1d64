#include "rc3/report/width.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(report_width)

BOOST_AUTO_TEST_CASE(widths_follow_unicode) {
  BOOST_TEST(rc3::report::columns("frog") == 4);
  BOOST_TEST(rc3::report::columns("青蛙") == 4);
  BOOST_TEST(rc3::report::columns("e\u0301") == 1);
  BOOST_TEST(rc3::report::columns("กบ") == 2);
  BOOST_TEST(rc3::report::pad("青", 4) == "青  ");
  BOOST_TEST(rc3::report::pad("7", 3, true) == "  7");
  BOOST_TEST(rc3::report::pad("long", 2) == "long");
}

BOOST_AUTO_TEST_SUITE_END()
