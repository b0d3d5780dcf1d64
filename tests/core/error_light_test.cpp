#include "rc3/core/error.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_error)

BOOST_AUTO_TEST_CASE(join_prints_its_parts) { BOOST_TEST(rc3::join("a ", 1, ' ', 2.5) == "a 1 2.5"); }

BOOST_AUTO_TEST_CASE(fail_and_require_throw) {
  rc3::test::throws_with([] { rc3::fail("x", 1); }, "x1");
  rc3::test::throws_with([] { rc3::require(false, "file: ", 2); }, "file: 2");
  rc3::require(true, "not thrown");
}

BOOST_AUTO_TEST_CASE(is_a_runtime_error) { BOOST_CHECK_THROW(rc3::fail("x"), std::runtime_error); }

BOOST_AUTO_TEST_SUITE_END()
