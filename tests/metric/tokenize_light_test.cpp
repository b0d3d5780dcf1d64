// Tokens that the definitions give, by hand.
#include <boost/test/unit_test.hpp>

#include "rc3/metric/bleu.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(metric_tokenize)

using namespace rc3::metric;
using rc3::test::throws_with;

namespace {

/// The tokens of @p line are those of @p expected, which stand between single blanks.
template <class Tokenizer>
bool makes(std::u32string_view line, std::u32string_view expected) {
  const std::u32string separated = Tokenizer()(line);
  return unicode::split(separated) == unicode::split(expected);
}

}  // namespace

using tokenize::Characters;
using tokenize::Intl;
using tokenize::None;
using tokenize::V13a;
using tokenize::Zh;

BOOST_AUTO_TEST_CASE(by_13a) {
  BOOST_TEST(makes<V13a>(U"Hello, world!", U"Hello , world !"));
  BOOST_TEST(makes<V13a>(U"It costs $1,234.5 (or 50%).", U"It costs $ 1,234.5 ( or 50 % ) ."));
  BOOST_TEST(makes<V13a>(U"a.b 1.b a.1 1.2 5.", U"a . b 1 . b a . 1 1.2 5 ."));
  BOOST_TEST(makes<V13a>(U".5", U". 5"));
  BOOST_TEST(makes<V13a>(U"10-year long-term 1-2", U"10 - year long-term 1 - 2"));
  BOOST_TEST(makes<V13a>(U"&quot;a&quot; &amp;lt; &gt; &apos;", U"\" a \" < > & apos ;"));
  BOOST_TEST(makes<V13a>(U"x<skipped>y co-\noperate a\nb", U"xy cooperate a b"));
  BOOST_TEST(makes<V13a>(U"don't «été»", U"don't «été»"));
  BOOST_TEST(makes<V13a>(U"a,,b", U"a , , b"));
  BOOST_TEST(makes<V13a>(U"", U""));
}

BOOST_AUTO_TEST_CASE(by_unicode) {
  BOOST_TEST(makes<Intl>(U"«été», don't!", U"« été » , don ' t !"));
  BOOST_TEST(makes<Intl>(U"1,234.5 ١٬٢٣٤ १,२", U"1,234.5 ١٬٢٣٤ १,२"));
  BOOST_TEST(makes<Intl>(U"in 2024.", U"in 2024."));  // as mteval-v14.pl
  BOOST_TEST(makes<Intl>(U"€5 a+b", U"€ 5 a + b"));
  BOOST_TEST(makes<Intl>(U"नमस्ते। مرحبا؟", U"नमस्ते । مرحبا ؟"));
  BOOST_TEST(makes<Intl>(U"&quot;", U"& quot ;"));
}

BOOST_AUTO_TEST_CASE(chinese) {
  BOOST_TEST(makes<Zh>(U"我有3.5只cats。", U"我 有 3.5 只 cats 。"));
  BOOST_TEST(makes<Zh>(U"“a”，b", U"“ a ” ， b"));
  BOOST_TEST(makes<Zh>(U"カタ", U"カタ"));                // kana are none
  BOOST_TEST(makes<Zh>(U"\U00020000x", U"\U00020000x"));  // Extension B is none, as there
}

BOOST_AUTO_TEST_CASE(characters_and_none) {
  BOOST_TEST(makes<Characters>(U"日本 a1", U"日 本 a 1"));
  BOOST_TEST(makes<None>(U"a, b", U"a, b"));
}

BOOST_AUTO_TEST_CASE(names) {
  for (const std::string name : {"none", "13a", "intl", "zh", "char"})
    BOOST_TEST(tokenize::by_name(name).name() == name);
  throws_with([] { tokenize::by_name("ja-mecab"); }, "no tokenizer \"ja-mecab\", but: 13a, none, intl, zh, char");
}

namespace {
/// What a user writes: a blank behind every second character.
struct Pairs {
  std::string name() const { return "pairs"; }
  std::u32string operator()(std::u32string_view line) const {
    std::u32string out;
    for (std::size_t i = 0; i < line.size(); i += 2) (out += line.substr(i, 2)) += U' ';
    return out;
  }
};
}  // namespace

BOOST_AUTO_TEST_CASE(a_users_own) {
  const auto score =
      bleu(std::vector<std::string>{"abcdef"}, std::vector<std::string>{"abcdxf"}, {.tokenizer = Pairs()});
  BOOST_TEST(score.signature == "nrefs:1|case:mixed|eff:no|tok:pairs|smooth:exp");
  BOOST_TEST(score.matches[0] == 2);
  BOOST_TEST(score.totals[0] == 3);
}

BOOST_AUTO_TEST_SUITE_END()
