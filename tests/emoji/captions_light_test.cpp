#include "emoji_fixture.hpp"
#include "rc3/data/text/text_id.hpp"

BOOST_AUTO_TEST_SUITE(emoji_captions)

using namespace rc3;
using namespace emoji;
using data::text_id;
using test::throws_with;

namespace {

ListPattern english() { return {"{0} and {1}", "{0}, {1}", "{0}; {1}", "{0}, and {1}"}; }

std::string joined(std::vector<std::string> items) { return join_list(english(), items); }

std::vector<std::string> kept(std::string name, std::vector<std::string> keywords) {
  return weak_keywords({std::move(name), std::move(keywords)});
}

using Strings = std::vector<std::string>;

/// Whether the folded text holds the folded name anywhere, inside another word too.
bool holds(std::string_view text, std::string_view name) {
  const std::u32string t = fold(text), n = fold(name);
  return t.find(n) != std::u32string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lists_join_as_the_language_does) {
  BOOST_TEST(joined({}) == "");
  BOOST_TEST(joined({"a"}) == "a");
  BOOST_TEST(joined({"a", "b"}) == "a and b");
  BOOST_TEST(joined({"a", "b", "c"}) == "a, b, and c");
  BOOST_TEST(joined({"a", "b", "c", "d", "e"}) == "a, b; c; d, and e");
  BOOST_TEST(joined({"{1}", "{0}"}) == "{1} and {0}");
  BOOST_TEST(fill_pattern("[{1}<{0}]", "a", "b") == "[b<a]");
  throws_with([] { fill_pattern("{0} only", "a", "b"); }, "{0} only", "{1}");
}

BOOST_AUTO_TEST_CASE(unicode_is_folded_and_cut_into_words) {
  BOOST_TEST(valid_utf8("grün 青蛙 กบ 🐸"));
  for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xe0\x80\x80"})
    BOOST_TEST(!valid_utf8(bad));
  BOOST_TEST((fold("ÄÖÅŽŁĞÑ ΆΣς ЖЁҐ") == fold("äöåžłğñ άσσ жёґ")));
  BOOST_TEST(words(fold("Frog-face: 3 o’clock")).size() == 5u);  // frog face 3 o clock
  BOOST_TEST(words(fold("青蛙の顔")).size() == 4u);
  BOOST_TEST(words(fold("カエルの顔")).size() == 3u);
  BOOST_TEST(words(fold("")).empty());
}

BOOST_AUTO_TEST_CASE(keywords_that_tell_the_name_go) {
  BOOST_TEST(kept("Frosch", {"Frosch", "Froschgesicht", "Gesicht", "Tier", "Tier"}) == Strings({"Gesicht", "Tier"}),
             boost::test_tools::per_element());
  BOOST_TEST(kept("face with tears", {"Tears", "happy face", "with", "joy", "TEARS of joy"}) == Strings({"joy"}),
             boost::test_tools::per_element());
  BOOST_TEST(kept("running shirt", {"run", "sash"}) == Strings({"sash"}), boost::test_tools::per_element());
  BOOST_TEST(kept("青蛙", {"蛙", "脸", "青色"}) == Strings({"脸"}), boost::test_tools::per_element());
  BOOST_TEST(kept("кіт", {"Кіт", "тварина"}) == Strings({"тварина"}), boost::test_tools::per_element());
  BOOST_TEST(kept("ox", {"oxygen", "ox cart", "box", "bull"}) == Strings({"bull"}), boost::test_tools::per_element());
  BOOST_TEST(kept("frog", {"frog", "frogs"}).empty());
  BOOST_TEST(kept("frog", {}).empty());
}

BOOST_AUTO_TEST_CASE(strict_captions_name_all_objects) {
  test::EmojiFixture fixture;
  fixture.glyphs["glyphs"][3]["texts"].erase("sw");
  fixture.save();
  const Glyphs glyphs = fixture.load();
  const std::vector<std::size_t> objects = {2, 0, 5}, missing = {2, 3}, none;
  BOOST_TEST(strict_caption(glyphs, objects, "en")->text == "ein enthing2, ein enthing0 and ein enthing5");
  BOOST_TEST(strict_caption(glyphs, objects, "de")->text == "ein dething2, ein dething0 and ein dething5");
  BOOST_TEST(strict_caption(glyphs, objects, "de")->objects == objects, boost::test_tools::per_element());
  BOOST_TEST(!strict_caption(glyphs, missing, "sw").has_value());
  BOOST_TEST(!strict_caption(glyphs, none, "en").has_value());
}

BOOST_AUTO_TEST_CASE(weak_singles_never_hold_the_name) {
  test::EmojiFixture fixture;
  fixture.glyphs["glyphs"][1]["texts"]["en"]["keywords"] = {"ENTHING1", "an enthing1"};
  fixture.save();
  const Glyphs glyphs = fixture.load();
  Random random(3);
  std::map<std::string, int> seen;
  for (int i = 0; i < 200; ++i) {
    const auto caption = weak_single_caption(glyphs, 0, "de", random);
    BOOST_REQUIRE(caption.has_value());
    BOOST_TEST(!holds(caption->text, "dething0"));
    ++seen[caption->text];
  }
  BOOST_TEST(seen.size() == 4u);  // two keywords: each alone, and both in either order
  BOOST_TEST(!weak_single_caption(glyphs, 1, "en", random).has_value());
  BOOST_TEST(!weak_single_caption(glyphs, 1, "xx", random).has_value());
}

BOOST_AUTO_TEST_CASE(weak_scenes_speak_of_half_the_objects) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  Random random(4);
  const std::vector<std::size_t> one = {3};
  BOOST_TEST(!weak_scene_caption(glyphs, one, "en", random).has_value());
  for (std::size_t n = 2; n <= 5; ++n) {
    std::vector<std::size_t> objects(n);
    for (std::size_t k = 0; k < n; ++k) objects[k] = 2 * k;
    std::map<std::size_t, int> sizes, chosen;
    for (int i = 0; i < 300; ++i) {
      const auto caption = weak_scene_caption(glyphs, objects, "ja", random);
      BOOST_REQUIRE(caption.has_value());
      BOOST_TEST(!caption->text.empty());
      ++sizes[caption->objects.size()];
      for (const std::size_t object : caption->objects) {
        BOOST_TEST(std::count(objects.begin(), objects.end(), object) == 1);
        ++chosen[object];
      }
    }
    for (const auto& [size, count] : sizes) BOOST_TEST((size == n / 2 || size == (n + 1) / 2));
    BOOST_TEST(sizes.size() == 1 + n % 2);
    BOOST_TEST(chosen.size() == n);
  }
}

BOOST_AUTO_TEST_CASE(relevance_is_the_jaccard_index) {
  const std::vector<std::size_t> none, a = {1, 2}, b = {2, 1}, c = {2, 3}, d = {4}, e = {1, 1, 2, 3};
  BOOST_TEST(true_relevance(a, b) == 1.0f);
  BOOST_TEST(true_relevance(a, c) == 1.0f / 3);
  BOOST_TEST(true_relevance(a, d) == 0.0f);
  BOOST_TEST(true_relevance(a, e) == 2.0f / 3);
  BOOST_TEST(true_relevance(none, none) == 0.0f);
  BOOST_TEST(true_relevance(none, a) == 0.0f);
}

BOOST_AUTO_TEST_CASE(text_ids_tell_texts_apart) {
  BOOST_TEST(text_id("frog") == text_id(std::string("fr") + "og"));
  BOOST_TEST(text_id("frog") != text_id("Frog"));
  BOOST_TEST(text_id("") >= 0);
}

BOOST_AUTO_TEST_CASE(real_data) {
  if (!test::have("data/emoji/glyphs.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  const auto split = Split::load(test::cached("data/emoji"), glyphs);
  const auto& extra = split.languages.extra;  // names only, and not of every glyph
  int wrong = 0, weak = 0;
  std::string example;
  for (std::size_t i = 0; i < glyphs.size(); ++i) {
    for (const auto& [language, annotation] : glyphs[i].texts) {
      if (std::find(extra.begin(), extra.end(), language) != extra.end()) continue;
      Random random(5, i);
      const std::vector<std::size_t> objects = {i, (i + 100) % glyphs.size(), (i + 200) % glyphs.size()};
      const auto strict = strict_caption(glyphs, objects, language);
      const auto single = weak_single_caption(glyphs, i, language, random);
      const auto scene = weak_scene_caption(glyphs, objects, language, random);
      bool good = true;
      for (const auto* caption : {&strict, &single, &scene})
        good = good && (!*caption || (!(*caption)->text.empty() && valid_utf8((*caption)->text)));
      good = good && strict && scene && !(single && holds(single->text, annotation.name));
      weak += single.has_value();
      if (!good) ++wrong, example = glyphs[i].id + " " + language + " " + (single ? single->text : "");
    }
  }
  BOOST_TEST(wrong == 0, wrong << " bad captions, for example " << example);
  BOOST_TEST(weak > static_cast<int>(glyphs.size()) * 15);
}

BOOST_AUTO_TEST_SUITE_END()
