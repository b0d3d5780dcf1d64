#include "rc3/data/format/caption_examples.hpp"

#include "data/small_files.hpp"
#include "rc3/data/format/translations.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(caption_examples)

using namespace rc3;
using namespace rc3::data;
using test::patient;
using test::throws_with;

namespace {

/// Three images: one with two English captions, one that is damaged, one with a German caption alone.
struct Album {
  const char* name() const { return "album"; }
  std::int64_t size() const { return 3; }
  Sample read(std::int64_t i) const {
    require(i != 1, "album: sample 1 is damaged");
    Sample sample;
    sample.id = i == 0 ? "a.jpg" : "c.jpg";
    sample.image = std::filesystem::path(sample.id);
    sample.regions.boxes = {{0, 0, 1, 1}};
    if (i == 0)
      sample.texts = {{"en", "A frog.", 0}, {"de", "Ein Frosch.", 1}, {"en", "A green frog.", 1}};
    else
      sample.texts = {{"de", "Ein Baum.", 0}};
    return sample;
  }
  const LanguageCounts& languages() const {
    static const LanguageCounts all{{"de", 2}, {"en", 2}};
    return all;
  }
};
static_assert(ExampleSet<CaptionExamples<Album>>);

}  // namespace

BOOST_AUTO_TEST_CASE(every_caption_of_the_languages_is_an_example) {
  auto errors = patient();
  const CaptionExamples english(Album(), {"en"}, errors);
  BOOST_TEST(english.size() == 2);
  BOOST_TEST((english.languages() == LanguageCounts{{"en", 2}}));
  const Example second = english.read(1);
  BOOST_TEST(second.id == "a.jpg#2");
  BOOST_TEST(second.text == "A green frog.");
  BOOST_TEST(second.language == "en");
  BOOST_TEST(second.group == 0);
  BOOST_REQUIRE(second.views.size() == 1u);
  BOOST_TEST(second.views[0].name == "a.jpg");
  BOOST_TEST(std::get<std::filesystem::path>(second.views[0].image) == "a.jpg");
  BOOST_TEST(second.views[0].regions.size() == 1u);
  BOOST_TEST(errors.count() == 1);
  BOOST_TEST(errors.report().find("album: sample 1 is damaged") != std::string::npos);

  const CaptionExamples both(Album(), {"de", "en"}, errors);
  BOOST_TEST(both.size() == 4);
  BOOST_TEST(both.read(3).text == "Ein Baum.");
  BOOST_TEST(both.read(3).group == 2);
  throws_with([&] { both.read(4); }, "album: caption 4 of 4");
}

BOOST_AUTO_TEST_CASE(a_language_without_captions_is_an_error) {
  auto errors = patient();
  throws_with([&] { CaptionExamples(Album(), {"en", "fr"}, errors); }, "album", "no text in \"fr\"");
  throws_with([&] { CaptionExamples(Album(), {}, errors); }, "album", "give a language");
}

BOOST_AUTO_TEST_CASE(only_samples_with_a_translation_are_translated) {
  auto errors = patient();
  const Translations pairs(Album(), "en", {"de"}, errors);
  BOOST_TEST(pairs.size() == 1);  // the others: damaged, and without an English text
  BOOST_TEST(errors.count() == 1);
  BOOST_TEST(pairs.read(0).text == "A green frog.");  // of the German text's group
  BOOST_TEST(pairs.read(0).answer == "Ein Frosch.");
  BOOST_TEST(pairs.read(0).group == 0);
  throws_with([&] { pairs.read(1); }, "translation 1 of 1");
}

BOOST_AUTO_TEST_SUITE_END()
