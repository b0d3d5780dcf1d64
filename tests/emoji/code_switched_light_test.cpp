#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "study/code_switched.hpp"

BOOST_AUTO_TEST_SUITE(study_code_switched)

using rc3::data::Text;

/// One sample: a translation of two texts, and a text of its own.
struct Photographs {
  std::string name() const { return "photographs"; }
  std::int64_t size() const { return 1; }
  rc3::data::Sample read(std::int64_t) const {
    rc3::data::Sample sample;
    sample.id = "one";
    sample.texts = {{"de", "ein Hund läuft im nassen Gras umher", 1},
                    {"de", "Tier", 2},
                    {"en", "a dog runs through wet grass today", 1},
                    {"fr", "un chien court", 1}};
    return sample;
  }
  const rc3::data::LanguageCounts& languages() const { return counts; }
  rc3::data::LanguageCounts counts = {{"de", 2}, {"en", 1}, {"fr", 1}};
};
static_assert(rc3::data::Dataset<study::CodeSwitched<Photographs>>);

BOOST_AUTO_TEST_CASE(spans_alternate) {
  const Text en{"en", "a b c d e f g h", 1}, de{"de", "A B C D", 1};
  BOOST_TEST(study::code_switched(en, de) == "a b B e f D");
  BOOST_TEST(study::code_switched(de, en) == "A c d C g h");
  BOOST_TEST(study::code_switched(en, de, 2) == "a b c d C D");
}

BOOST_AUTO_TEST_CASE(chinese_is_cut_between_characters) {
  const Text en{"en", "a b c d", 1}, zh{"zh", "一二三四", 1};
  BOOST_TEST(study::code_switched(en, zh) == "a 二 c 四");
  BOOST_TEST(study::code_switched(zh, en, 2) == "一二 c d");
}

BOOST_AUTO_TEST_CASE(a_short_text_is_not_blank) {
  const Text one{"en", "dog", 1}, two{"de", "ein Hund", 1};
  BOOST_TEST(study::code_switched(one, one) == "dog");
  BOOST_TEST(study::code_switched(one, two) == "ein Hund");
  BOOST_TEST(study::code_switched(two, one) == "dog");
}

BOOST_AUTO_TEST_CASE(texts_with_a_translation_are_switched) {
  const study::CodeSwitched<Photographs> data({}, {"de", "en"});
  const auto before = Photographs().read(0), after = data.read(0);
  BOOST_TEST(after.texts[0].text == study::code_switched(before.texts[0], before.texts[2]));
  BOOST_TEST(after.texts[1].text == "Tier");  // has no translation
  BOOST_TEST(after.texts[2].text == study::code_switched(before.texts[2], before.texts[0]));
  BOOST_TEST(after.texts[3].text == "un chien court");  // is not among the languages
  BOOST_TEST((after.texts == data.read(0).texts));
  BOOST_TEST(after.texts[0].group == 1);
  BOOST_TEST(after.texts[0].language == "de");
}

BOOST_AUTO_TEST_CASE(without_languages_all_are_switched) {
  const study::CodeSwitched<Photographs> data({}, {});
  const auto before = Photographs().read(0), after = data.read(0);
  for (const std::size_t i : {0, 2, 3}) BOOST_TEST(after.texts[i].text != before.texts[i].text);
}

BOOST_AUTO_TEST_SUITE_END()
