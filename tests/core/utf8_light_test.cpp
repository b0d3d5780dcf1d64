#include "rc3/core/utf8.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_utf8)

using namespace std::string_view_literals;

BOOST_AUTO_TEST_CASE(accepts_what_is_utf8) {
  for (const auto text :
       {""sv, "plain"sv, "\0"sv, "ěščř"sv, "日本語"sv, "👩‍👩‍👧"sv, "\xC2\x80"sv, "\xDF\xBF"sv,
        "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv})
    BOOST_TEST(rc3::valid_utf8(text));
}

BOOST_AUTO_TEST_CASE(names_the_first_bad_byte) {
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"\x80"sv, 0},              // continuation without a lead
      {"ab\xFF"sv, 2},            // never a byte of UTF-8
      {"a\xC0\x80"sv, 1},         // overlong NUL
      {"\xC1\xBF"sv, 0},          // overlong, 2 bytes
      {"\xE0\x9F\xBF"sv, 0},      // overlong, 3 bytes
      {"\xF0\x8F\xBF\xBF"sv, 0},  // overlong, 4 bytes
      {"\xED\xA0\x80"sv, 0},      // surrogate
      {"\xF4\x90\x80\x80"sv, 0},  // above U+10FFFF
      {"\xF5\x80\x80\x80"sv, 0},
      {"é\xE2\x82"sv, 2},     // cut off
      {"\xF0\x9F\x98"sv, 0},  // cut off
      {"\xE2\x82x"sv, 0},     // continuation missing
      {"caf\xE9"sv, 3},       // Latin-1
  };
  for (const auto& [text, position] : cases) BOOST_TEST(rc3::find_invalid_utf8(text) == position);
}

BOOST_AUTO_TEST_CASE(error_names_place_and_byte) {
  rc3::test::throws_with([] { rc3::require_utf8("caf\xE9", "captions.tsv line 3"); }, "captions.tsv line 3", "byte 3");
}

BOOST_AUTO_TEST_SUITE_END()
