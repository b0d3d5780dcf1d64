// chrF and chrF++ by hand: small counts, edges, errors.
#include "rc3/metric/chrf.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(metric_chrf)

using namespace rc3::metric;
using rc3::test::throws_with;
using Texts = std::vector<std::string>;
using Several = std::vector<Texts>;

BOOST_AUTO_TEST_CASE(counts_and_score) {
  const auto score = chrf(Texts{"a bc"}, Texts{"ab d"});  // abc, abd
  BOOST_TEST(score.counts.size() == 6u);
  BOOST_TEST(score.counts[0].matches == 2);
  BOOST_TEST(score.counts[0].hypothesis == 3);
  BOOST_TEST(score.counts[1].matches == 1);
  BOOST_TEST(score.counts[2].matches == 0);
  BOOST_TEST(score.counts[3].hypothesis == 0);
  const double mean = (2.0 / 3 + 1.0 / 2 + 0) / 3;  // both precision and recall
  BOOST_TEST(std::abs(score.score - 100 * mean) < 1e-10);
  BOOST_TEST(score.signature == "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no");

  // Precision 1/2 and recall 1 of one character: beta = 2 weighs recall four times.
  const auto half = chrf(Texts{"ab"}, Texts{"a"}, {.char_order = 1});
  BOOST_TEST(std::abs(half.score - 100 * 5 * 0.5 / (4 * 0.5 + 1)) < 1e-10);
  BOOST_TEST(std::abs(chrf(Texts{"a"}, Texts{"ab"}, {.char_order = 1}).score - 100 * 5 * 0.5 / (4 + 0.5)) < 1e-10);
  BOOST_TEST(std::abs(chrf(Texts{"ab"}, Texts{"a"}, {.char_order = 1, .beta = 1}).score - 100 * 2.0 / 3) < 1e-10);
}

BOOST_AUTO_TEST_CASE(words) {
  const auto score = chrf(Texts{"(hi) there!"}, Texts{"(hi ) there !"}, {.word_order = 2});
  BOOST_TEST(score.counts.size() == 8u);
  BOOST_TEST(score.counts[6].hypothesis == 4);  // "(hi" ")" "there" "!"
  BOOST_TEST(score.counts[6].reference == 5);   // "(" "hi" ")" "there" "!"
  BOOST_TEST(score.counts[6].matches == 3);
  BOOST_TEST(score.counts[7].matches == 2);
  BOOST_TEST(score.signature == "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no");
  const auto marks = chrf(Texts{"a . ?! «b»"}, Texts{"a"}, {.word_order = 1});
  BOOST_TEST(marks.counts[6].hypothesis == 5);  // a . ? ! «b»
}

BOOST_AUTO_TEST_CASE(several_references) {
  const auto best = chrf(Texts{"abcdef"}, Several{{"xyz", "abcdef", "abc"}});
  BOOST_TEST(std::abs(best.score - 100) < 1e-10);
  BOOST_TEST(best.counts[0].reference == 6);
  BOOST_TEST(best.signature == "nrefs:3|case:mixed|eff:yes|nc:6|nw:0|space:no");
  BOOST_TEST(chrf(Texts{"ab"}, Several{{"x", "yz"}}).counts[0].reference == 1);  // the first of equal ones
}

BOOST_AUTO_TEST_CASE(edges) {
  BOOST_TEST(chrf(Texts{""}, Texts{"abc"}).score == 0);
  BOOST_TEST(chrf(Texts{"abc"}, Texts{""}).score == 0);
  BOOST_TEST(chrf(Texts{""}, Texts{""}).score == 0);
  BOOST_TEST(chrf(Texts{"abc"}, Texts{"xyz"}).score == 0);
  BOOST_TEST(std::abs(chrf(Texts{"猫が 庭で"}, Texts{"猫が庭で"}).score - 100) < 1e-10);
  BOOST_TEST(chrf(Texts{"ABC"}, Texts{"abc"}).score == 0);
  BOOST_TEST(std::abs(chrf(Texts{"ABC"}, Texts{"abc"}, {.lowercase = true}).score - 100) < 1e-10);
  // An order that the reference is too short for does not count against the hypothesis.
  const auto longer = chrf(Texts{"abcd", "xyz"}, Texts{"ab", "xyz"}, {.char_order = 3});
  BOOST_TEST(longer.counts[2].hypothesis == 1);
  BOOST_TEST(longer.counts[1].hypothesis == 5);
  // What matches nowhere does count: orders sum over the corpus.
  const auto sum = chrf(Texts{"abc", "xx"}, Texts{"abc", "yy"}, {.char_order = 1});
  BOOST_TEST(std::abs(sum.score - 60) < 1e-10);
}

BOOST_AUTO_TEST_CASE(errors) {
  throws_with([] { chrf(Texts{}, Texts{}); }, "metric::chrf: no sentence was given");
  throws_with([] { chrf(Texts{"a"}, Several{{}}); }, "references[0] is empty");
  throws_with([] { chrf(Texts{"a", "b"}, Texts{"a", "\xff"}); }, "metric::chrf: references[1][0]: not UTF-8 at byte 0");
  throws_with([] { chrf(Texts{"a"}, Texts{"a"}, {.char_order = 0}); }, "needs char_order >= 1");
  throws_with([] { chrf(Texts{"a"}, Texts{"a"}, {.word_order = -1}); }, "word_order >= 0");
  throws_with([] { chrf(Texts{"a"}, Texts{"a"}, {.beta = 0}); }, "beta > 0");
}

BOOST_AUTO_TEST_SUITE_END()
