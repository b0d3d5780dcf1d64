// BLEU by hand: small counts, edges, errors.
#include "rc3/metric/bleu.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(metric_bleu)

using namespace rc3::metric;
using rc3::test::throws_with;
using Texts = std::vector<std::string>;
using Several = std::vector<Texts>;
using Counts = std::array<std::int64_t, 4>;

namespace {
constexpr double tiny = 1e-12;
}

BOOST_AUTO_TEST_CASE(counts_precisions_and_penalty) {
  // Papineni's example: "the" counts as often as in the reference that has most of it.
  const auto clipped =
      bleu(Texts{"the the the the the the the"}, Several{{"the cat is on the mat", "there is a cat on the mat"}});
  BOOST_TEST((clipped.matches == Counts{2, 0, 0, 0}));
  BOOST_TEST((clipped.totals == Counts{7, 6, 5, 4}));

  const auto score = bleu(Texts{"a b c d e", "k l"}, Texts{"a b c d x y", "k l"}, {.tokenizer = tokenize::None()});
  BOOST_TEST((score.matches == Counts{6, 4, 2, 1}));
  BOOST_TEST((score.totals == Counts{7, 5, 3, 2}));
  BOOST_TEST(score.hypothesis_length == 7);
  BOOST_TEST(score.reference_length == 8);
  BOOST_TEST(std::abs(score.brevity_penalty - std::exp(1 - 8.0 / 7)) < tiny);
  BOOST_TEST(std::abs(score.precisions[1] - 80) < tiny);
  const double mean = std::pow(6.0 / 7 * 4 / 5 * 2 / 3 * 1 / 2, 0.25);
  BOOST_TEST(std::abs(score.score - 100 * std::exp(1 - 8.0 / 7) * mean) < 1e-10);
  BOOST_TEST(score.signature == "nrefs:1|case:mixed|eff:no|tok:none|smooth:exp");
}

BOOST_AUTO_TEST_CASE(equal_texts_have_100) {
  for (const std::string text : {"a b c d", "the cat is on the mat.", "a b c d e f g"}) {
    const auto score = bleu(Texts{text}, Texts{text});
    BOOST_TEST(std::abs(score.score - 100) < 1e-10);
    BOOST_TEST(score.score <= 100);
  }
}

BOOST_AUTO_TEST_CASE(the_closest_reference_counts) {
  const auto length = [](const std::string& hypothesis, const Texts& references) {
    return bleu(Texts{hypothesis}, Several{references}).reference_length;
  };
  BOOST_TEST(length("a b c d", {"a b c d e", "a b c"}) == 3);  // the shorter one of two as close
  BOOST_TEST(length("a b c d", {"a b c", "a b c d e"}) == 3);
  BOOST_TEST(length("a b c d", {"a", "a b c d e f"}) == 6);
  BOOST_TEST(length("", {"a b", "a"}) == 1);
}

BOOST_AUTO_TEST_CASE(smoothing_of_short_texts) {
  const auto score = [](const Smoothing& smoothing, bool effective = false) {
    return bleu(Texts{"a b x"}, Texts{"a b c"}, {.smoothing = smoothing, .effective_order = effective});
  };
  // 2 of 3, 1 of 2, 0 of 1, and no 4-gram.
  BOOST_TEST(score(smoothing::None()).score == 0);
  BOOST_TEST(score(smoothing::Exp()).score == 0);  // no order can stand for that of 4
  BOOST_TEST(std::abs(score(smoothing::Exp(), true).score - 100 * std::cbrt(2.0 / 3 * 1 / 2 * 1 / 2)) < 1e-10);
  BOOST_TEST(std::abs(score(smoothing::Floor(), true).score - 100 * std::cbrt(2.0 / 3 * 1 / 2 * 0.1)) < 1e-10);
  BOOST_TEST(std::abs(score(smoothing::Floor{0.3}, true).precisions[2] - 30) < tiny);
  BOOST_TEST(std::abs(score(smoothing::AddK()).score - 100 * std::pow(2.0 / 3 * 2 / 3 * 1 / 2 * 1 / 1, 0.25)) < 1e-10);
  BOOST_TEST((score(smoothing::AddK()).matches == Counts{2, 1, 0, 0}));
  BOOST_TEST(score(smoothing::Floor{0.3}).signature == "nrefs:1|case:mixed|eff:no|tok:13a|smooth:floor[0.30]");
  BOOST_TEST(score(smoothing::AddK(), true).signature == "nrefs:1|case:mixed|eff:yes|tok:13a|smooth:add-k[1.00]");
  throws_with([&] { score(smoothing::Floor{0}); }, "floor needs a value > 0");
  throws_with([&] { score(smoothing::AddK{NAN}); }, "add-k needs a value > 0");
}

BOOST_AUTO_TEST_CASE(nothing_matches) {
  const auto other = bleu(Texts{"a b c d e"}, Texts{"v w x y z"});
  BOOST_TEST(other.score == 0);
  BOOST_TEST(other.brevity_penalty == 1);
  BOOST_TEST((other.totals == Counts{5, 4, 3, 2}));
  const auto empty = bleu(Texts{""}, Texts{"a b"});
  BOOST_TEST(empty.score == 0);
  BOOST_TEST(empty.brevity_penalty == 0);
  BOOST_TEST(empty.hypothesis_length == 0);
  const auto nothing = bleu(Texts{""}, Texts{""});
  BOOST_TEST(nothing.score == 0);
  BOOST_TEST(nothing.brevity_penalty == 1);
  // One empty text among others costs its length.
  const auto among = bleu(Texts{"", "a b c d e"}, Texts{"f g", "a b c d e"});
  BOOST_TEST(std::abs(among.score - 100 * std::exp(1 - 7.0 / 5)) < 1e-10);
}

BOOST_AUTO_TEST_CASE(options) {
  const Texts hypotheses{"Das HAUS, es steht dort."}, references{"das Haus, es steht dort."};
  BOOST_TEST(std::abs(bleu(hypotheses, references).score - 100 * std::pow(5.0 / 7 * 4 / 6 * 3 / 5 * 2 / 4, 0.25)) <
             1e-10);
  const auto lower = bleu(hypotheses, references, {.lowercase = true});
  BOOST_TEST(std::abs(lower.score - 100) < 1e-10);
  BOOST_TEST(lower.signature == "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp");
  const Texts japanese{"猫が庭で寝ている"}, cat{"猫が庭で寝ていた"};
  BOOST_TEST(bleu(japanese, cat).totals[0] == 1);
  const auto characters = bleu(japanese, cat, {.tokenizer = tokenize::Characters()});
  BOOST_TEST((characters.matches == Counts{7, 6, 5, 4}));
  BOOST_TEST((characters.totals == Counts{8, 7, 6, 5}));
  BOOST_TEST(bleu(Texts{"a", "b"}, Several{{"a"}, {"b", "c"}}).signature.starts_with("nrefs:var|"));
  BOOST_TEST(bleu(Texts{"a", "b"}, Several{{"a", "x"}, {"b", "c"}}).signature.starts_with("nrefs:2|"));
}

BOOST_AUTO_TEST_CASE(errors) {
  throws_with([] { bleu(Texts{}, Texts{}); }, "metric::bleu: no sentence was given");
  throws_with([] { bleu(Texts{"a", "b"}, Texts{"a"}); }, "2 hypotheses, but references for 1 sentences");
  throws_with([] { bleu(Texts{"a", "b"}, Several{{"a"}, {}}); }, "references[1] is empty");
  throws_with([] { bleu(Texts{"a", "b\xff"}, Texts{"a", "b"}); }, "metric::bleu: hypotheses[1]: not UTF-8 at byte 1");
  throws_with([] { bleu(Texts{"a"}, Several{{"a", "\xc0"}}); }, "metric::bleu: references[0][1]: not UTF-8 at byte 0");
}

BOOST_AUTO_TEST_SUITE_END()
