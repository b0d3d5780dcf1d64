#include "rc3/core/blank.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <string>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(core_blank)

using rc3::is_blank;

BOOST_AUTO_TEST_CASE(texts_of_invisible_characters) {
  for (const std::string text :
       {"", " \t\r\n\v\f", "\u200B", "\u00A0", "\u3000", "\uFEFF", "\u2060", "\u00AD", "\u200E\u202C", "\u2800",
        "\u3164", "\uFFFD", "\u2581", "\uFE0F", "\U000E0020", "\x01\x7F", "\u0085", " \u200B\u3000\u00A0 "})
    BOOST_TEST(is_blank(text), text);
  BOOST_TEST(is_blank(std::string(3, '\0')));
}

BOOST_AUTO_TEST_CASE(texts_with_a_visible_character) {
  for (const std::string text :
       {"a", "\u200Ba", "a\u200B", "\u00A0.", "青", "👩‍👩‍👧", "\u0301", "\u0600", "\uE000"})
    BOOST_TEST(!is_blank(text), text);
  for (const std::string text : {"\x85", "\xA0", "\xE2\x80", "\xC2", "\xFF", "\xC0\xA0", "\xED\xA0\x80", "\u200B\x80"})
    BOOST_TEST(!is_blank(text));  // not UTF-8: an error of its own
}

// The properties in the words of Unicode, by Python's module regex; ours are six more.
BOOST_AUTO_TEST_CASE(invisible_is_what_unicode_says) {
  const std::string python = rc3::test::environment("RC3_TEST_PYTHON");
  if (python.empty()) return;
  const std::string command = "'" + python + "' -c '" + R"(
import regex
invisible = regex.compile(r"[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}]")
for c in range(0x110000):
    if not 0xD800 <= c < 0xE000 and invisible.match(chr(c)): print(c)
' 2>&1)";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  BOOST_REQUIRE(pipe != nullptr);
  std::string expected(0x110000, '0'), ours = expected;
  unsigned long c = 0, count = 0;
  for (; std::fscanf(pipe, "%lu", &c) == 1; ++count) expected.at(c) = '1';
  BOOST_REQUIRE(::pclose(pipe) == 0);
  BOOST_TEST(count > 4000u);
  for (const char32_t more : {0x2581, 0x2800, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFD}) {
    BOOST_TEST(expected[more] == '0');
    expected[more] = '1';
  }
  for (char32_t at = 0; at < 0x110000; ++at)
    if (rc3::is_invisible(at)) ours[at] = '1';
  BOOST_TEST((ours == expected));
}

BOOST_AUTO_TEST_SUITE_END()
