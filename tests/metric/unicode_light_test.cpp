// The tables of Unicode against Python, for every character.
#include <boost/test/unit_test.hpp>

#include "metric/peer.hpp"
#include "rc3/io/json.hpp"
#include "rc3/metric/unicode/category.hpp"
#include "rc3/metric/unicode/lower.hpp"
#include "rc3/metric/unicode/text.hpp"

BOOST_AUTO_TEST_SUITE(metric_unicode)

using namespace rc3::metric::unicode;
using namespace rc3::test;

namespace {

constexpr std::size_t characters = 0x110000;

char letter(char32_t c) { return "-PSN"[static_cast<int>(category(c))]; }

std::string read(const std::filesystem::path& folder, std::string_view name) {
  const std::string content = rc3::io::read_file(folder / name, 1 << 21);
  BOOST_TEST_REQUIRE(content.size() == characters);
  return content;
}

}  // namespace

BOOST_AUTO_TEST_CASE(categories_are_those_of_sacrebleu) {
  const auto folder = peer();
  if (folder.empty()) return;
  const std::string theirs = read(folder, "category"), unicodedata = read(folder, "unicodedata");
  std::size_t other = 0, other_than_unicodedata = 0, newer = 0;
  for (char32_t c = 0; c < char32_t(characters); ++c) {
    other += letter(c) != theirs[c];
    // What Python's own, older Unicode does not know yet is no difference.
    if (unicodedata[c] == '?')
      newer += letter(c) != '-';
    else
      other_than_unicodedata += letter(c) != unicodedata[c];
  }
  at_most("of 1114112 characters, in another category than by regex", other, 0u);
  at_most("in another category than by unicodedata", other_than_unicodedata, 0u);
  std::cout << newer << " of them are newer than Python's unicodedata\n";
}

BOOST_AUTO_TEST_CASE(white_space_is_pythons) {
  const auto folder = peer();
  if (folder.empty()) return;
  const std::string theirs = read(folder, "space");
  std::size_t other = 0;
  for (char32_t c = 0; c < char32_t(characters); ++c) other += is_space(c) != (theirs[c] == 's');
  at_most("characters that are white space in one of two", other, 0u);
}

BOOST_AUTO_TEST_CASE(lower_case_is_pythons) {
  const auto folder = peer();
  if (folder.empty()) return;
  const auto found = rc3::io::read_json(folder / "lower.json");
  const bool same_version = found["version"] == "14.0.0";
  std::map<char32_t, std::u32string> theirs;
  for (const auto& row : found["lower"])
    theirs[row[0].get<std::uint32_t>()] = decode(row[1].get<std::string>(), "lower.json");
  std::size_t other = 0, newer = 0;
  for (char32_t c = 0; c < char32_t(characters); ++c) {
    const std::u32string itself(1, c);
    const auto known = theirs.find(c);
    const std::u32string expected = known == theirs.end() ? itself : known->second;
    const std::u32string ours = lower(std::u32string_view(itself));
    if (ours == expected) continue;
    // Another Python has another Unicode: a letter that is new in one of the two has no lower case in the other.
    ++(!same_version && (ours == itself || expected == itself) ? newer : other);
  }
  at_most("of 1114112 characters, with another lower case than Python's", other, 0u);
  at_most("letters of another Unicode version", newer, 200u);
  std::size_t lines = 0;
  for (const auto& row : found["lines"])
    lines += lower(std::u32string_view(decode(row[0].get<std::string>(), "text"))) !=
             decode(row[1].get<std::string>(), "text");
  at_most("of 5000 lines with sigmas, lines with another lower case", lines, 0u);
}

BOOST_AUTO_TEST_CASE(utf8_is_decoded) {
  BOOST_TEST((decode("a\u00e9\u20ac\U0001F600", "text") == U"a\u00e9\u20ac\U0001F600"));
  BOOST_TEST(decode("", "text").empty());
  throws_with([] { decode("ab\xff", "here"); }, "here: not UTF-8 at byte 2");
  BOOST_TEST((split(U" a  bc\u3000d\n") == std::vector<std::u32string_view>{U"a", U"bc", U"d"}));
  BOOST_TEST(split(U"").empty());
  BOOST_TEST(split(U" \t").empty());
  BOOST_TEST((trim(U" a b ") == U"a b"));
  BOOST_TEST((without_space(U" a\u00a0b ") == U"ab"));
}

BOOST_AUTO_TEST_CASE(a_sigma_ends_a_word) {
  const auto is = [](std::u32string_view text, std::u32string_view expected) { return lower(text) == expected; };
  BOOST_TEST(is(U"ΟΔΥΣΣΕΥΣ", U"οδυσσευς"));
  BOOST_TEST(is(U"Σ", U"σ"));
  BOOST_TEST(is(U"ΑΣ'Α", U"ας'α") == false);  // an apostrophe ends no word
  BOOST_TEST(is(U"ΑΣ Α", U"ας α"));
  BOOST_TEST(is(U"İ", U"i\u0307"));
}

BOOST_AUTO_TEST_SUITE_END()
