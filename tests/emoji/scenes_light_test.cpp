#include "emoji/scenes.hpp"

#include <cctype>
#include <set>

#include "emoji_fixture.hpp"
#include "rc3/data/check/validate.hpp"

BOOST_AUTO_TEST_SUITE(emoji_scenes)

using namespace rc3;
using namespace rc3::data;
using namespace emoji;
using test::throws_with;

namespace {

const std::vector<std::size_t> train = {0, 1, 2, 3, 4, 5, 6, 7};

Style small() { return Style::training(48, 40); }

Scenes make(const Glyphs& glyphs, std::int64_t size = 40, Scenes::Options options = {.seed = 5, .style = small()}) {
  return Scenes(glyphs, train, {"en", "de", "fr"}, {"ja", "id", "en"}, size, options);
}

std::string print(const Sample& sample) {
  std::string out = sample.id;
  for (const Text& text : sample.texts) out += join('|', text.language, ':', text.group, ':', text.text);
  for (const TextRelevance& pair : sample.relevance) out += join('|', pair.a, '-', pair.b, '=', pair.value);
  for (const Box& box : sample.regions.boxes) out += join('|', box[0], ' ', box[1], ' ', box[2], ' ', box[3]);
  const auto& image = std::get<io::Image>(sample.image);
  return out + join('|', image.width, 'x', image.height, ' ', test::checksum(image.rgba));
}

/// Which of the fixture's things a text names: "ein dething3" -> 3.
std::set<int> things(const std::string& text) {
  std::set<int> out;
  for (std::size_t at = text.find("thing"); at != std::string::npos; at = text.find("thing", at + 1))
    out.insert(std::stoi(text.substr(at + 5)));
  return out;
}

/// How many objects a text speaks of: every name and keyword of the fixture has one number in it.
std::size_t parts(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += std::isdigit(text[i]) && (i == 0 || !std::isdigit(text[i - 1]));
  return count;
}

}  // namespace

BOOST_AUTO_TEST_CASE(samples_are_a_pure_function) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Scenes one = make(glyphs), two = make(glyphs), other = make(glyphs, 40, {.seed = 6, .style = small()});
  std::string forward, backward;
  int same = 0;
  for (std::int64_t i = 0; i < 40; ++i) forward += print(one.read(i)) + "\n";
  for (std::int64_t i = 40; i-- > 0;) backward.insert(0, print(two.read(i)) + "\n");
  for (std::int64_t i = 0; i < 40; ++i) {
    Sample changed = other.read(i);
    changed.id = one.read(i).id;
    same += print(changed) == print(one.read(i));
  }
  BOOST_TEST(forward == backward);
  BOOST_TEST(same == 0);
  BOOST_TEST(text_id(forward) == 2447156234927220706);  // committed: the same samples on every machine
}

BOOST_AUTO_TEST_CASE(samples_keep_their_promises) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Scenes scenes = make(glyphs, 200);
  LanguageCounts seen;
  std::set<std::string> ids;
  int singles = 0, named = 0;
  std::set<float> values;
  for (std::int64_t i = 0; i < scenes.size(); ++i) {
    const Sample sample = scenes.read(i);
    check_sample(sample, sample.id);
    ids.insert(sample.id);
    const auto& image = std::get<io::Image>(sample.image);
    BOOST_TEST(image.rgba.size() == 48u * 40u * 4u);
    for (std::size_t p = 3; p < image.rgba.size(); p += 4) BOOST_REQUIRE(image.rgba[p] == 255);
    BOOST_TEST(sample.regions.width == 48.0f);
    BOOST_TEST(sample.regions.height == 40.0f);
    BOOST_TEST(sample.regions.features.empty());

    std::set<std::int64_t> weak_groups;
    for (const Text& text : sample.texts) ++seen[text.language];
    for (std::size_t t = 0; t < sample.texts.size(); ++t) {
      if (t < 3) {
        BOOST_TEST(sample.texts[t].group == 0);
        BOOST_TEST(things(sample.texts[t].text).size() == sample.regions.size());
      } else {
        BOOST_TEST(sample.texts[t].group > 0);
        BOOST_TEST(weak_groups.insert(sample.texts[t].group).second);
      }
    }
    if (sample.regions.size() == 1) {
      ++singles;
      BOOST_TEST(sample.relevance.empty());
      continue;
    }
    const std::size_t n = sample.texts.size();
    BOOST_TEST(sample.relevance.size() == n * (n - 1) / 2 - 3);  // all pairs but those of the three strict texts
    for (const TextRelevance& pair : sample.relevance) {
      const std::string& a = sample.texts[pair.a].text;
      const std::string& b = sample.texts[pair.b].text;
      values.insert(pair.value);
      if (pair.a < 3) {  // a strict text speaks of all objects
        BOOST_TEST(pair.value == static_cast<float>(parts(b)) / static_cast<float>(sample.regions.size()));
      } else if (things(a).size() == parts(a) && things(b).size() == parts(b)) {  // two weak ones that give names only
        std::set<int> either = things(a);
        either.merge(things(b));
        const std::size_t shared = parts(a) + parts(b) - either.size();
        BOOST_TEST(pair.value == static_cast<float>(shared) / static_cast<float>(either.size()));
        ++named;
      }
    }
  }
  BOOST_TEST(seen == scenes.languages());
  BOOST_TEST(ids.size() == 200u);
  BOOST_TEST(singles > 60);
  BOOST_TEST(singles < 140);
  BOOST_TEST(named > 20);
  BOOST_TEST(values.contains(0.0f));  // two halves of a scene
  BOOST_TEST(values.size() >= 4u);
}

BOOST_AUTO_TEST_CASE(one_language_more_changes_no_other_text) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Scenes::Options options = {.seed = 5, .style = small()};
  const Scenes few(glyphs, train, {"en", "de"}, {"id"}, 30, options);
  const Scenes many(glyphs, train, {"en", "de", "fr"}, {"ja", "id"}, 30, options);
  for (std::int64_t i = 0; i < 30; ++i) {
    const Sample a = few.read(i), b = many.read(i);
    BOOST_TEST(test::checksum(std::get<io::Image>(a.image).rgba) == test::checksum(std::get<io::Image>(b.image).rgba));
    for (const Text& text : a.texts)
      BOOST_TEST(std::count_if(b.texts.begin(), b.texts.end(), [&](const Text& other) {
                   return other.language == text.language && other.text == text.text;
                 }) == 1);
  }
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_named) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  throws_with([&] { make(glyphs, 0); }, "emoji::Scenes", "size must be at least 1, is 0");
  throws_with([&] { make(glyphs).read(40); }, "emoji::Scenes: sample 40 of 40");
  throws_with([&] { make(glyphs).read(-1); }, "sample -1 of 40");
  throws_with([&] { Scenes(glyphs, train, {"en", "de"}, {"ja", "ja"}, 1, {}); }, "weak language ja is listed twice");
  throws_with([&] { Scenes(glyphs, train, {"en", "de"}, {"xx"}, 1, {}); }, "no language 'xx'");
  throws_with([&] { Scenes(glyphs, train, {"en"}, {}, 1, {}); }, "strict needs two languages");
  throws_with([&] { make(glyphs, 1, {.style = Style::training(8, 8)}); }, "width must be");
}

BOOST_AUTO_TEST_CASE(a_language_without_a_word_has_no_text) {
  test::EmojiFixture fixture;
  for (auto& glyph : fixture.glyphs["glyphs"]) glyph["texts"]["sw"]["keywords"] = nlohmann::json::array();
  fixture.save();
  const Glyphs glyphs = fixture.load();
  const Scenes scenes(glyphs, train, {"en", "de"}, {"sw"}, 50, {.seed = 3, .style = small()});
  std::int64_t texts = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    const Sample sample = scenes.read(i);
    BOOST_TEST(sample.texts.size() == (sample.regions.size() == 1 ? 2u : 3u));
    texts += static_cast<std::int64_t>(sample.texts.size()) - 2;
  }
  BOOST_TEST(scenes.languages().at("sw") == texts);
}

BOOST_AUTO_TEST_SUITE_END()
