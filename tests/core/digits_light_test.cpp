#include "rc3/core/digits.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "rc3/core/random.hpp"

BOOST_AUTO_TEST_SUITE(core_digits)

BOOST_AUTO_TEST_CASE(a_float_is_read_back_from_few_digits) {
  BOOST_TEST(rc3::shortest_decimal(0.7f) == "0.7");
  BOOST_TEST(rc3::shortest_decimal(640.0001f) == "640.0001");
  BOOST_TEST(rc3::shortest_decimal(-0.0f) == "-0");
  BOOST_TEST(rc3::shortest_decimal(std::numeric_limits<float>::infinity()) == "inf");
  rc3::Random random(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<float>(random.uniform() - 0.5) * 1e3f;
    const auto text = rc3::shortest_decimal(value);
    BOOST_TEST_REQUIRE(std::strtof(text.c_str(), nullptr) == value);
    BOOST_TEST_REQUIRE(text.size() <= 15U);
  }
}

BOOST_AUTO_TEST_CASE(an_integer_has_all_of_its_digits) {
  BOOST_TEST(rc3::hexadecimal(std::uint8_t{10}) == "0a");
  BOOST_TEST(rc3::hexadecimal(std::uint32_t{0}) == "00000000");
  BOOST_TEST(rc3::hexadecimal(std::uint64_t{0xfedcba9876543210u}) == "fedcba9876543210");
  rc3::Random random(4);
  for (int i = 0; i < 1'000; ++i) {
    const auto value = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32));
    char text[12];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(value));
    BOOST_TEST_REQUIRE(rc3::hexadecimal(value) == text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
