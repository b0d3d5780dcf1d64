#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "emoji/tasks/tasks.hpp"
#include "emoji_fixture.hpp"
#include "rc3/data/check/validate.hpp"
#include "rc3/data/text/text_id.hpp"

BOOST_AUTO_TEST_SUITE(emoji_tasks)

using namespace rc3;
using namespace rc3::data;
using namespace emoji;
using test::throws_with;

namespace {

const std::vector<std::size_t> all_glyphs = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
const std::vector<std::string> three = {"en", "de", "ja"};

/// No turn and no gradient in the glyphs' way: what is drawn can be read back.
TaskOptions plain(std::uint64_t seed = 5) { return {.seed = seed, .style = Style::canonical(96, 80)}; }

/// Twelve glyphs of families of their own.
struct Fixture : test::EmojiFixture {
  Fixture() {
    for (std::size_t i = 0; i < 12; ++i) glyphs["glyphs"][i]["family"] = "f" + std::to_string(i);
    save();
  }
};

std::string print(const Example& example) {
  std::string out = join(example.id, '|', example.language, '|', example.text, '|', example.answer, '|',
                         example.answer_language, '|', example.group);
  for (const View& view : example.views) {
    for (const Box& box : view.regions.boxes) out += join('|', box[0], ' ', box[1], ' ', box[2], ' ', box[3]);
    const auto& image = std::get<io::Image>(view.image);
    out += join('|', image.width, 'x', image.height, ' ', test::checksum(image.rgba));
  }
  return out;
}

/// Which of the fixture's things a text names, in its order: "ein dething3" -> 3.
std::vector<int> things(const std::string& text) {
  std::vector<int> out;
  for (std::size_t at = text.find("thing"); at != std::string::npos; at = text.find("thing", at + 1))
    out.push_back(std::stoi(text.substr(at + 5)));
  return out;
}

constexpr int card = -1;

/// What is drawn in the middle of each box, told from the pixels alone: the fixture's discs have red 20 i, blue
/// 255 - 20 i and, in their middle, green 70.
std::vector<int> seen(const View& view) {
  std::vector<int> out;
  const auto& image = std::get<io::Image>(view.image);
  for (const Box& box : view.regions.boxes) {
    const int x = static_cast<int>(box[0] + box[2]) / 2, y = static_cast<int>(box[1] + box[3]) / 2;
    const std::uint8_t* p = &image.rgba[static_cast<std::size_t>(y * image.width + x) * 4];
    if (p[0] == p[1] && p[1] == p[2]) {
      out.push_back(card);
      continue;
    }
    const int i = (p[0] + 10) / 20;
    BOOST_TEST(std::abs(p[0] - 20 * i) <= 3);
    BOOST_TEST(std::abs(p[2] - (255 - 20 * i)) <= 3);
    BOOST_TEST(std::abs(p[1] - 70) <= 12);
    out.push_back(i);
  }
  return out;
}

int count(const std::vector<int>& all, int one) { return static_cast<int>(std::count(all.begin(), all.end(), one)); }

/// What every task promises: a pure function; languages that share scene, images and answer; ids; sound regions.
template <class Make>
void check_task(Make make, std::int64_t items, std::int64_t committed) {
  const auto one = make(three, 6, 5), two = make(three, 6, 5), other = make(three, 6, 6);
  const auto alone = make({"de"}, 6, 5);
  BOOST_TEST(one.size() == 6 * items * 3);
  BOOST_TEST((one.languages() == LanguageCounts{{"de", 6 * items}, {"en", 6 * items}, {"ja", 6 * items}}));
  std::string forward, backward;
  std::set<std::string> ids, images, texts;
  for (std::int64_t i = 0; i < one.size(); ++i) forward += print(one.read(i)) + "\n";
  for (std::int64_t i = one.size(); i-- > 0;) backward.insert(0, print(two.read(i)) + "\n");
  BOOST_TEST(forward == backward);
  BOOST_TEST(text_id(forward) == committed);  // the same examples on every machine
  for (std::int64_t i = 0; i < one.size(); ++i) {
    const Example example = one.read(i);
    BOOST_TEST(print(example) != print(other.read(i)));
    BOOST_TEST(example.language == three[static_cast<std::size_t>(i % 3)]);
    BOOST_TEST(example.group == i / (3 * items));
    BOOST_TEST(ids.insert(example.id).second);
    for (const View& view : example.views) {
      check_regions(view.regions, example.id);
      BOOST_TEST(view.regions.width == 96.0f);
      BOOST_TEST(view.regions.height == 80.0f);
    }
    // The same scene, images and answer in each language; the same text but for its words.
    Example first = one.read(i - i % 3);
    BOOST_TEST(things(example.text) == things(first.text), boost::test_tools::per_element());
    BOOST_TEST(example.text.find(example.language + "thing") != std::string::npos);
    first.id = example.id;
    first.language = example.language;
    first.text = example.text;
    BOOST_TEST(print(first) == print(example));
    if (example.language == "de") BOOST_TEST(print(alone.read(i / 3)) == print(example));
    // All items of a scene show the same images, and no other scene does.
    std::string shown;
    for (const View& view : example.views) shown += join(test::checksum(std::get<io::Image>(view.image).rgba), ' ');
    BOOST_TEST(images.insert(shown).second == (i % (3 * items) == 0));
  }
  throws_with([&] { one.read(one.size()); }, one.name(), join("example ", one.size(), " of ", one.size()));
  throws_with([&] { one.read(-1); }, one.name(), "example -1 of");
  throws_with([&] { make({}, 1, 1); }, one.name(), "languages is empty");
  throws_with([&] { make({"en", "xx"}, 1, 1); }, one.name(), "languages: there is no language 'xx'");
  throws_with([&] { make({"en", "de", "en"}, 1, 1); }, one.name(), "languages: 'en' is listed twice");
  throws_with([&] { make({"en"}, 0, 1); }, one.name(), "scenes must be 1 .. ");
}

/// No cell of a table of two classes may stray from what chance gives it by more than five standard deviations.
void check_independent(const std::map<std::pair<std::string, std::string>, int>& table, const std::string& what) {
  std::map<std::string, double> rows, columns;
  double total = 0;
  for (const auto& [cell, n] : table) {
    rows[cell.first] += n;
    columns[cell.second] += n;
    total += n;
  }
  for (const auto& [row, in_row] : rows)
    for (const auto& [column, in_column] : columns) {
      const auto found = table.find({row, column});
      const double n = found == table.end() ? 0 : found->second;
      const double expected = in_row * in_column / total;
      BOOST_TEST(std::abs(n - expected) <= 5 * std::sqrt(expected),
                 what << ": " << row << " with " << column << ": " << n << " times, expected " << expected);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(pool_keeps_unlike_glyphs_that_all_languages_name) {
  Fixture fixture;
  fixture.glyphs["glyphs"][2]["texts"].erase("ja");
  fixture.glyphs["glyphs"][3]["family"] = "f4";
  fixture.glyphs["glyphs"][5]["texts"]["de"]["name"] = "EIN DETHING6 mit Hut";  // holds another's, in one language
  fixture.save();
  const Glyphs glyphs = fixture.load();
  const Pool pool("test", glyphs, all_glyphs, three, 4);
  BOOST_TEST((pool.eligible() == std::vector<std::size_t>{0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  std::map<std::size_t, int> chosen;
  std::set<std::pair<std::size_t, std::size_t>> together;
  Random random(1);
  for (int k = 0; k < 3000; ++k) {
    const auto four = pool.choose(4, random);
    BOOST_TEST_REQUIRE(four.size() == 4u);
    for (const std::size_t a : four) {
      ++chosen[a];
      for (const std::size_t b : four) together.insert({a, b});
    }
  }
  BOOST_TEST(chosen.size() == 11u);
  for (const auto& [glyph, n] : chosen) BOOST_TEST(n > 600, glyph << " was chosen " << n << " times");
  // Alike: one family; a name inside another ("dething1" in "dething10", and 6 in 5 in German alone).
  const std::set<std::pair<std::size_t, std::size_t>> alike = {{3, 4}, {5, 6}, {1, 10}, {1, 11}};
  for (const std::size_t a : pool.eligible())
    for (const std::size_t b : pool.eligible())
      if (a < b) BOOST_TEST(together.contains({a, b}) == !alike.contains({a, b}), a << " with " << b);
  const Pool without_german("test", glyphs, all_glyphs, {"en"}, 4);
  for (int k = 0; k < 1000; ++k) {
    const auto two = without_german.choose(2, random);
    together.insert({two[0], two[1]});
  }
  BOOST_TEST(together.contains({5, 6}));

  throws_with([&] { Pool("who", glyphs, {}, three, 1); }, "who: indices is empty");
  throws_with([&] { Pool("who", glyphs, std::vector<std::size_t>{1, 12}, three, 1); }, "who: indices holds 12");
  throws_with([&] { Pool("who", glyphs, std::vector<std::size_t>{1, 2, 1}, three, 1); }, "indices repeats glyph g1");
  throws_with(
      [&] {
        Pool("who", glyphs, std::vector<std::size_t>{3, 4, 5, 6}, three, 3);
      },
      "who: indices: of 4 glyphs with a name in all languages no 3 were found");
  throws_with([&] { Pool("who", glyphs, std::vector<std::size_t>{2}, three, 1); }, "of 0 glyphs");
}

BOOST_AUTO_TEST_CASE(tasks_keep_what_all_of_them_promise) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const auto make = [&](auto type) {
    return [&](std::vector<std::string> languages, std::int64_t scenes, std::uint64_t seed) {
      return typename decltype(type)::type(glyphs, all_glyphs, std::move(languages), scenes, plain(seed));
    };
  };
  check_task(make(std::type_identity<EntailmentScenes>()), 3, 5111713562263263981);
  check_task(make(std::type_identity<QuestionScenes>()), 2, 3159394579148311033);
  check_task(make(std::type_identity<ReasoningScenes>()), 2, 2199725755896967048);
  throws_with(
      [&] {
        EntailmentScenes(glyphs, std::vector<std::size_t>{0, 2, 3}, three, 1);
      },
      "emoji entailment", "indices: of 3 glyphs");
  throws_with([&] { EntailmentScenes(glyphs, all_glyphs, three, 1, {.style = Style::training(8, 8)}); },
              "width must be");
}

BOOST_AUTO_TEST_CASE(entailment_labels_are_what_the_image_says) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const EntailmentScenes task(glyphs, all_glyphs, {"en"}, 200, plain());
  std::map<std::pair<std::string, std::string>, int> by_length, by_item, by_thing, by_place_of_missing;
  std::set<std::size_t> objects;
  for (std::int64_t scene = 0; scene < 200; ++scene) {
    std::set<std::string> labels;
    for (std::int64_t item = 0; item < 3; ++item) {
      const Example example = task.read(3 * scene + item);
      BOOST_TEST_REQUIRE(example.views.size() == 1u);
      const auto shown = seen(example.views[0]);
      BOOST_TEST(count(shown, card) == 1);
      BOOST_TEST(shown.back() == card);
      BOOST_TEST(std::set<int>(shown.begin(), shown.end()).size() == shown.size());
      objects.insert(shown.size() - 1);
      const auto listed = things(example.text);
      BOOST_TEST(std::set<int>(listed.begin(), listed.end()).size() == listed.size());
      int missing = 0;
      for (std::size_t k = 0; k < listed.size(); ++k) {
        if (count(shown, listed[k]) > 0) continue;
        ++missing;
        by_place_of_missing[{example.answer + join(listed.size()), join(k)}] += 1;
      }
      // One card hides one thing: with two missing, one at least is not there.
      const char* truth = missing == 0 ? "entailment" : missing == 1 ? "neutral" : "contradiction";
      BOOST_TEST(example.answer == truth);
      BOOST_TEST(missing <= 2);
      labels.insert(example.answer);
      ++by_length[{example.answer, join(listed.size())}];
      ++by_item[{example.answer, join(item)}];
      for (const int thing : listed) ++by_thing[{example.answer, join(thing)}];
    }
    BOOST_TEST(labels.size() == 3u);  // balanced, and the image tells nothing
  }
  BOOST_TEST((objects == std::set<std::size_t>{2, 3, 4}));
  BOOST_TEST(by_length.size() == 6u);
  check_independent(by_length, "class by number of things");
  check_independent(by_item, "class by place in the scene");
  check_independent(by_thing, "class by thing");
  for (const char* length : {"2", "3"}) {
    std::map<std::pair<std::string, std::string>, int> table;
    for (const auto& [cell, n] : by_place_of_missing)
      if (cell.first == std::string("neutral") + length) table[{"", cell.second}] = n;
    const double expected = by_length[{"neutral", length}] / std::stod(length);
    for (const auto& [cell, n] : table)
      BOOST_TEST(std::abs(n - expected) <= 5 * std::sqrt(expected), "missing at " << cell.second << ": " << n);
  }
  BOOST_TEST((std::vector<std::string_view>(EntailmentScenes::classes().begin(), EntailmentScenes::classes().end()) ==
              std::vector<std::string_view>{"contradiction", "neutral", "entailment"}));
}

BOOST_AUTO_TEST_CASE(the_card_hides_all_of_its_object_and_nothing_else) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const EntailmentScenes task(glyphs, all_glyphs, {"en"}, 20, plain());
  for (std::int64_t i = 0; i < task.size(); i += 3) {
    const View view = task.read(i).views[0];
    const auto& image = std::get<io::Image>(view.image);
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        const auto inside = [px = static_cast<float>(x), py = static_cast<float>(y)](const Box& b, float margin) {
          return px >= b[0] - margin && px < b[2] + margin && py >= b[1] - margin && py < b[3] + margin;
        };
        const std::uint8_t* p = &image.rgba[static_cast<std::size_t>(y * image.width + x) * 4];
        const bool white = p[0] == 255 && p[1] == 255 && p[2] == 255;
        const bool grey = p[0] == p[1] && p[1] == p[2] && !white;
        const auto& boxes = view.regions.boxes;
        if (inside(boxes.back(), 1)) {
          BOOST_TEST_REQUIRE(grey);
          continue;
        }
        // Faint pixels lie up to two beyond a box; around the card there are none.
        const bool other = std::any_of(boxes.begin(), boxes.end() - 1, [&](const Box& b) { return inside(b, 2); });
        if (!other) BOOST_TEST_REQUIRE(white);
      }
  }
}

BOOST_AUTO_TEST_CASE(questions_are_answered_by_the_image) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const QuestionScenes task(glyphs, all_glyphs, {"en"}, 600, plain());
  std::map<std::string, int> answers;
  std::set<std::ptrdiff_t> asked_places;  // in the order of drawing, which is that of regions
  std::map<std::pair<std::string, std::string>, int> by_item, by_thing;
  for (std::int64_t scene = 0; scene < 600; ++scene) {
    std::set<std::string> of_scene;
    for (std::int64_t item = 0; item < 2; ++item) {
      const Example example = task.read(2 * scene + item);
      const auto shown = seen(example.views.at(0));
      const auto asked = things(example.text);
      const std::string_view type = QuestionScenes::type(example);
      BOOST_TEST(type == QuestionScenes::types()[static_cast<std::size_t>(scene % 3)]);
      std::string truth;
      if (type == "presence") {
        BOOST_TEST(example.text == join("ein enthing", asked.at(0), '?'));
        BOOST_TEST(std::set<int>(shown.begin(), shown.end()).size() == shown.size());
        truth = count(shown, asked[0]) == 1 ? "yes" : "no";
        if (truth == "yes") asked_places.insert(std::find(shown.begin(), shown.end(), asked[0]) - shown.begin());
      } else if (type == "count") {
        BOOST_TEST(example.text == join("# ein enthing", asked.at(0), '?'));
        truth = join(count(shown, asked[0]));
      } else {
        BOOST_TEST(example.text == join("ein enthing", asked.at(0), " ← → ein enthing", asked.at(1), '?'));
        const auto box = [&](int thing) {
          const auto at = std::find(shown.begin(), shown.end(), thing);
          BOOST_TEST_REQUIRE((at != shown.end()));
          return example.views[0].regions.boxes[static_cast<std::size_t>(at - shown.begin())];
        };
        const Box a = box(asked[0]), b = box(asked[1]);
        BOOST_TEST((a[2] <= b[0] || b[2] <= a[0]));
        truth = a[0] + a[2] < b[0] + b[2] ? "left" : "right";
      }
      BOOST_TEST(example.answer == truth, example.id << " says " << example.answer << ", is " << truth);
      BOOST_TEST(of_scene.insert(example.answer).second);
      ++answers[example.answer];
      ++by_item[{join(type, example.answer), join(item)}];
      ++by_thing[{example.answer, join(asked[0])}];
    }
  }
  BOOST_TEST(answers.size() == QuestionScenes::answers().size());
  BOOST_TEST((asked_places == std::set<std::ptrdiff_t>{0, 1, 2, 3, 4}));
  for (const std::string_view answer : QuestionScenes::answers()) {
    const int n = answers[std::string(answer)];
    if (answer.size() > 1)
      BOOST_TEST(n == 200, answer);
    else
      BOOST_TEST(std::abs(n - 100) < 50, answer << ": " << n);
  }
  check_independent(by_item, "answer by place in the scene");
  check_independent(by_thing, "answer by thing");
  Example stranger;
  stranger.id = "emoji-entailment-1-0-0-en";
  throws_with([&] { QuestionScenes::type(stranger); }, "emoji-entailment-1-0-0-en is none of these questions");
  Style crowded = Style::canonical(32, 32);
  crowded.scene_min = crowded.scene_max = 100;
  const QuestionScenes narrow(glyphs, all_glyphs, {"en"}, 3, {.style = crowded});
  BOOST_TEST(narrow.read(4).answer.size() >= 4u);  // crowded objects shrink until they find room
}

BOOST_AUTO_TEST_CASE(reasoning_needs_both_images) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const ReasoningScenes task(glyphs, all_glyphs, {"en"}, 300, plain());
  std::map<std::pair<std::string, std::string>, int> by_length, by_item, by_thing;
  std::set<std::pair<std::size_t, std::size_t>> sizes, places_of_missing;
  for (std::int64_t scene = 0; scene < 300; ++scene) {
    std::set<std::string> labels;
    for (std::int64_t item = 0; item < 2; ++item) {
      const Example example = task.read(2 * scene + item);
      BOOST_TEST_REQUIRE(example.views.size() == 2u);
      const auto left = seen(example.views[0]), right = seen(example.views[1]);
      std::set<int> both(left.begin(), left.end());
      both.insert(right.begin(), right.end());
      BOOST_TEST(both.size() == left.size() + right.size());
      BOOST_TEST(count(left, card) + count(right, card) == 0);
      sizes.insert({left.size(), right.size()});
      const auto listed = things(example.text);
      BOOST_TEST(std::set<int>(listed.begin(), listed.end()).size() == listed.size());
      std::size_t in_left = 0, in_right = 0;
      for (std::size_t k = 0; k < listed.size(); ++k) {
        in_left += static_cast<std::size_t>(count(left, listed[k]));
        in_right += static_cast<std::size_t>(count(right, listed[k]));
        if (!both.contains(listed[k])) places_of_missing.insert({listed.size(), k});
      }
      BOOST_TEST(in_left + in_right >= listed.size() - 1);
      BOOST_TEST(in_left < listed.size());
      BOOST_TEST(in_right < listed.size());
      BOOST_TEST(example.answer == (in_left + in_right == listed.size() ? "true" : "false"));
      labels.insert(example.answer);
      ++by_length[{example.answer, join(listed.size())}];
      ++by_item[{example.answer, join(item)}];
      for (const int thing : listed) ++by_thing[{example.answer, join(thing)}];
    }
    BOOST_TEST(labels.size() == 2u);
  }
  BOOST_TEST(sizes.size() == 9u);
  BOOST_TEST(places_of_missing.size() == 2u + 3u + 4u);  // any place of a text of any length
  BOOST_TEST(by_length.size() == 6u);
  check_independent(by_length, "class by number of things");
  check_independent(by_item, "class by place in the scene");
  check_independent(by_thing, "class by thing");
  BOOST_TEST((std::vector<std::string_view>(ReasoningScenes::classes().begin(), ReasoningScenes::classes().end()) ==
              std::vector<std::string_view>{"false", "true"}));
}

BOOST_AUTO_TEST_CASE(translations_say_what_is_drawn) {
  const Fixture fixture;
  const Glyphs glyphs = fixture.load();
  const std::vector<std::string> targets = {"de", "ja"};
  const auto make = [&](TranslationOptions options, std::int64_t scenes = 100) {
    options.seed = 5;
    options.style = plain().style;
    return TranslationScenes(glyphs, all_glyphs, "en", targets, scenes, options);
  };
  const TranslationScenes strict = make({}), weak = make({.scene_share = 1, .source = SourceText::weak});
  BOOST_TEST(strict.size() == 200);
  BOOST_TEST((strict.languages() == LanguageCounts{{"en", 200}}));
  std::map<std::size_t, int> sizes;
  std::string all;
  std::set<std::string> ids;
  for (std::int64_t i = 0; i < 200; ++i) {
    const Example example = strict.read(i);
    all += print(example) + "\n";
    BOOST_TEST(ids.insert(example.id).second);
    BOOST_TEST(example.language == "en");
    BOOST_TEST(example.answer_language == targets[static_cast<std::size_t>(i % 2)]);
    BOOST_TEST(example.group == i / 2);
    const auto shown = seen(example.views.at(0));
    if (i % 2 == 0) ++sizes[shown.size()];
    BOOST_TEST(things(example.text) == shown, boost::test_tools::per_element());
    BOOST_TEST(things(example.answer) == shown, boost::test_tools::per_element());
    BOOST_TEST(example.text.find("enthing") != std::string::npos);
    BOOST_TEST(example.answer.find(example.answer_language + "thing") != std::string::npos);
    const Example other = strict.read(i ^ 1);
    BOOST_TEST(other.text == example.text);
    BOOST_TEST(test::checksum(std::get<io::Image>(other.views[0].image).rgba) ==
               test::checksum(std::get<io::Image>(example.views[0].image).rgba));

    // Of weak sources each object has a keyword, "enkind" + i % 3 or "encolor" + i % 4, and none its name.
    const Example keywords = weak.read(i);
    const auto scene = seen(keywords.views.at(0));
    BOOST_TEST(scene.size() >= 2u);
    BOOST_TEST(things(keywords.answer) == scene, boost::test_tools::per_element());
    BOOST_TEST(things(keywords.text).empty());
    std::size_t at = 0;
    for (const int thing : scene) {
      const std::size_t kind = keywords.text.find(join("enkind", thing % 3), at);
      const std::size_t color = keywords.text.find(join("encolor", thing % 4), at);
      at = std::min(kind, color);
      BOOST_TEST_REQUIRE(at != std::string::npos);
      ++at;
    }
    BOOST_TEST(weak.read(i ^ 1).text == keywords.text);
  }
  BOOST_TEST(text_id(all) == 913266682200519186);  // committed: the same examples on every machine
  BOOST_TEST(sizes.size() == 4u);
  BOOST_TEST(std::abs(sizes[1] - 50) < 25);
  for (std::int64_t i = 0; i < 20; ++i) BOOST_TEST(seen(make({.scene_share = 0}, 10).read(i).views[0]).size() == 1u);
  throws_with([&] { make({.scene_share = 1.5}); }, "emoji translation: scene_share must be in [0, 1], is 1.5");
  throws_with([&] { make({.max_objects = 10}); }, "max_objects must be 2 .. 9, is 10");
  throws_with([&] { TranslationScenes(glyphs, all_glyphs, "en", {}, 1); }, "emoji translation: targets is empty");
  throws_with([&] { TranslationScenes(glyphs, all_glyphs, "en", {"en"}, 1); }, "languages: 'en' is listed twice");
  throws_with([&] { TranslationScenes(glyphs, all_glyphs, "en", {"de"}, 0); }, "scenes must be 1 .. ");
}

BOOST_AUTO_TEST_CASE(retrieval_leaves_out_what_a_language_does_not_name) {
  Fixture fixture;
  for (const int nameless : {0, 5, 9}) fixture.glyphs["glyphs"][nameless]["texts"].erase("ja");
  fixture.save();
  const Glyphs glyphs = fixture.load();
  const Scenes scenes = retrieval_scenes(glyphs, all_glyphs, three, 100, {.seed = 3, .style = plain().style});
  BOOST_TEST((scenes.languages() == LanguageCounts{{"de", 100}, {"en", 100}, {"ja", 100}}));
  std::set<int> drawn;
  for (std::int64_t i = 0; i < 100; ++i) {
    const Sample sample = scenes.read(i);
    const auto shown = seen({sample.image, sample.regions});
    BOOST_TEST(shown.size() >= 2u);
    drawn.insert(shown.begin(), shown.end());
    BOOST_TEST_REQUIRE(sample.texts.size() == 3u);
    for (std::size_t t = 0; t < 3; ++t) {
      BOOST_TEST(sample.texts[t].language == three[t]);
      BOOST_TEST(things(sample.texts[t].text) == shown, boost::test_tools::per_element());
    }
  }
  BOOST_TEST((drawn == std::set<int>{1, 2, 3, 4, 6, 7, 8, 10, 11}));
  throws_with(
      [&] {
        retrieval_scenes(glyphs, std::vector<std::size_t>{0, 5}, three, 1);
      },
      "indices: none of 2 glyphs has a name in all languages");
  throws_with([&] { retrieval_scenes(glyphs, all_glyphs, {"en"}, 1); }, "strict needs two languages");
}

BOOST_AUTO_TEST_CASE(prepared_data_in_thirty_languages) {
  if (!test::have("data/emoji/glyphs.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  const Split split = Split::load(test::cached("data/emoji"), glyphs);
  std::vector<std::string> languages = split.languages.strict;
  for (const auto* more : {&split.languages.weak, &split.languages.unseen})
    languages.insert(languages.end(), more->begin(), more->end());
  const TaskOptions options = {.seed = 1, .style = Style::training(64, 64)};
  const auto pieces = [](const std::string& text) {  // of an English text: its names
    std::set<std::string> out;
    std::string rest = text;
    for (const std::string_view mark : {", and ", " and ", " ← → ", "# ", "?"})
      for (std::size_t at; (at = rest.find(mark)) != std::string::npos;) rest.replace(at, mark.size(), ", ");
    for (std::size_t at = 0; at < rest.size();) {
      const std::size_t end = std::min(rest.find(", ", at), rest.size());
      if (end > at) out.insert(rest.substr(at, end - at));
      at = end + 2;
    }
    return out;
  };
  // Each side speaks of its own glyphs only, whose names are no other's.
  const auto check = [&]<class Task>(std::type_identity<Task>, std::int64_t items) {
    const Task train(glyphs, split.train, languages, 12, options), test(glyphs, split.test, languages, 12, options);
    BOOST_TEST(train.size() == 12 * items * std::ssize(languages));
    BOOST_TEST(train.pool().eligible().size() > split.train.size() * 9 / 10);
    BOOST_TEST(test.pool().eligible().size() > split.test.size() * 9 / 10);
    for (const auto& [task, own] : {std::pair(&train, &split.train), std::pair(&test, &split.test)}) {
      std::set<std::string> names;
      for (const std::size_t glyph : *own)
        for (const std::string& name : pieces(glyphs[glyph].find("en")->name)) names.insert(name);
      for (std::int64_t i = 0; i < task->size(); i += std::ssize(languages)) {
        const Example english = task->read(i);
        BOOST_TEST(english.language == "en");
        for (const std::string& name : pieces(english.text)) BOOST_TEST(names.contains(name), name);
        if (i % (7 * std::ssize(languages)) != 0) continue;
        for (std::int64_t l = 1; l < std::ssize(languages); ++l) {
          const Example same = task->read(i + l);
          BOOST_TEST(same.answer == english.answer);
          BOOST_TEST(same.group == english.group);
          check_text(same.text, same.id);
        }
      }
    }
  };
  check(std::type_identity<EntailmentScenes>(), 3);
  check(std::type_identity<QuestionScenes>(), 2);
  check(std::type_identity<ReasoningScenes>(), 2);
}

BOOST_AUTO_TEST_SUITE_END()
