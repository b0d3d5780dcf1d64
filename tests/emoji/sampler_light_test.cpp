#include <set>

#include "emoji_fixture.hpp"

BOOST_AUTO_TEST_SUITE(emoji_sampler)

using namespace rc3;
using namespace emoji;
using data::Shuffle;
using data::text_id;
using test::throws_with;

namespace {

std::string print(const Item& item) {
  std::string objects;
  for (const std::size_t object : item.objects) objects += std::to_string(object) + ",";
  return join(objects, '|', item.image_id, '|', item.image_seed, '|', item.language_a, ':', item.text_a, '|',
              item.language_b, ':', item.text_b, '|', item.strict, '|', item.relevance.value_or(-1));
}

const std::vector<std::size_t> train = {0, 1, 2, 3, 4, 5, 6, 7};

Sampler make(const Glyphs& glyphs, Sampler::Options options) {
  return Sampler(glyphs, train, {"en", "de", "fr"}, {"ja", "id"}, options);
}

}  // namespace

BOOST_AUTO_TEST_CASE(items_are_a_pure_function) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Sampler one = make(glyphs, {.seed = 5, .weak_share = 0.5});
  const Sampler two = make(glyphs, {.seed = 5, .weak_share = 0.5});
  const Sampler other = make(glyphs, {.seed = 6, .weak_share = 0.5});
  std::vector<std::string> forward, backward, another, later;
  for (std::int64_t i = 0; i < 100; ++i) forward.push_back(print(one.item(2, i)));
  for (std::int64_t i = 100; i-- > 0;) backward.insert(backward.begin(), print(two.item(2, i)));
  for (std::int64_t i = 0; i < 100; ++i) another.push_back(print(other.item(2, i)));
  for (std::int64_t i = 0; i < 100; ++i) later.push_back(print(one.item(3, i)));
  BOOST_TEST(forward == backward, boost::test_tools::per_element());
  int same = 0;
  for (std::size_t i = 0; i < 100; ++i) same += (forward[i] == another[i]) + (forward[i] == later[i]);
  BOOST_TEST(same == 0);

  std::string all;
  for (const std::string& line : forward) all += line + "\n";
  BOOST_TEST(text_id(all) == 5860821807133024041);  // committed: the same items on every machine
}

BOOST_AUTO_TEST_CASE(images_depend_on_the_item_alone) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Sampler sampler = make(glyphs, {});
  for (std::int64_t i = 0; i < 20; ++i) {
    const Item item = sampler.item(0, i);
    const Drawing image = sampler.draw(item, Style::training());
    BOOST_TEST((image.rgb == sampler.draw(sampler.item(0, i), Style::training()).rgb));
    BOOST_TEST(image.objects == item.objects, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(every_pass_sees_every_glyph) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Sampler sampler = make(glyphs, {.scene_share = 0});
  std::set<std::vector<std::size_t>> orders;
  for (std::int64_t pass = 0; pass < 6; ++pass) {
    std::vector<std::size_t> order;
    for (std::int64_t i = 0; i < 8; ++i) order.push_back(sampler.item(pass / 3, pass % 3 * 8 + i).objects.at(0));
    orders.insert(order);
    std::sort(order.begin(), order.end());
    BOOST_TEST(order == train, boost::test_tools::per_element());
  }
  BOOST_TEST(orders.size() >= 5u);
}

BOOST_AUTO_TEST_CASE(items_keep_their_promises) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const Sampler sampler = make(glyphs, {.scene_share = 0.5, .weak_share = 0.5, .min_objects = 2, .max_objects = 4});
  const std::set<std::string> strict = {"en", "de", "fr"}, all = {"en", "de", "fr", "ja", "id"};
  int scenes = 0, weak = 0, n = 2000;
  std::set<std::size_t> sizes;
  std::set<std::string> weak_languages;
  std::map<std::int64_t, std::set<std::size_t>> by_id;
  std::set<float> relevances;
  for (std::int64_t i = 0; i < n; ++i) {
    const Item item = sampler.item(0, i);
    scenes += item.objects.size() > 1;
    weak += !item.strict;
    sizes.insert(item.objects.size());
    const std::set<std::size_t> objects(item.objects.begin(), item.objects.end());
    BOOST_TEST(objects.size() == item.objects.size());
    BOOST_TEST(*objects.rbegin() < 8u);
    const auto [place, fresh] = by_id.emplace(item.image_id, objects);
    BOOST_TEST((place->second == objects));
    BOOST_TEST(item.language_a != item.language_b);
    BOOST_TEST((!item.text_a.empty() && !item.text_b.empty() && valid_utf8(item.text_a) && valid_utf8(item.text_b)));
    BOOST_TEST(item.text_a_id == text_id(item.text_a));
    const auto& allowed = item.strict ? strict : all;
    BOOST_TEST((allowed.contains(item.language_a) && allowed.contains(item.language_b)));
    if (item.strict) {
      BOOST_TEST(item.relevance.value() == 1.0f);
      BOOST_TEST(item.text_a == strict_caption(glyphs, item.objects, item.language_a)->text);
      BOOST_TEST(item.text_b == strict_caption(glyphs, item.objects, item.language_b)->text);
    } else {
      weak_languages.insert({item.language_a, item.language_b});
      BOOST_TEST(item.relevance.has_value() == (item.objects.size() > 1));
      if (item.relevance) relevances.insert(*item.relevance);
    }
  }
  BOOST_TEST(std::abs(scenes - n / 2) < 120);
  BOOST_TEST(std::abs(weak - n / 2) < 120);
  BOOST_TEST((sizes == std::set<std::size_t>{1, 2, 3, 4}));
  BOOST_TEST((weak_languages == all));
  BOOST_TEST((relevances == std::set<float>{0.0f, 1.0f / 3, 0.5f, 1.0f}));
}

BOOST_AUTO_TEST_CASE(glyphs_without_weak_texts_get_strict_pairs) {
  test::EmojiFixture fixture;
  for (auto& glyph : fixture.glyphs["glyphs"])
    for (auto& text : glyph["texts"]) text["keywords"] = nlohmann::json::array({text["name"]});
  fixture.save();
  const Glyphs glyphs = fixture.load();
  const Sampler sampler = make(glyphs, {.scene_share = 0, .weak_share = 1});
  for (std::int64_t i = 0; i < 30; ++i) BOOST_TEST(sampler.item(0, i).strict);
}

BOOST_AUTO_TEST_CASE(shuffle_is_a_bijection) {
  for (const std::uint64_t n : {1u, 2u, 3u, 17u, 64u, 1513u}) {
    const Shuffle shuffle(n, 1, 2, 3);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < n; ++i) seen.insert(shuffle(i));
    BOOST_TEST(seen.size() == n);
    BOOST_TEST(*seen.rbegin() == n - 1);
  }
  throws_with([] { Shuffle(0, 1, 2, 3); }, "n must be");
}

BOOST_AUTO_TEST_CASE(wrong_use_is_named) {
  const test::EmojiFixture fixture;
  const Glyphs glyphs = fixture.load();
  const auto bad = [&](std::vector<std::size_t> indices, std::vector<std::string> strict, std::vector<std::string> weak,
                       Sampler::Options options, auto... parts) {
    throws_with([&] { Sampler(glyphs, indices, strict, weak, options); }, "emoji::", parts...);
  };
  bad({}, {"en", "de"}, {}, {}, "indices", "empty");
  bad({0, 12}, {"en", "de"}, {}, {}, "indices", "12");
  bad({0, 1, 0}, {"en", "de"}, {}, {}, "indices", "repeats");
  bad(train, {"en"}, {"de"}, {}, "two languages");
  bad(train, {"en", "de"}, {"en"}, {}, "en", "twice");
  bad(train, {"en", "de"}, {"xx"}, {}, "xx");
  bad(train, {"en", "de"}, {}, {.scene_share = 1.5}, "scene_share", "1.5");
  bad(train, {"en", "de"}, {}, {.weak_share = -1}, "weak_share", "-1");
  bad(train, {"en", "de"}, {}, {.min_objects = 1}, "min_objects");
  bad(train, {"en", "de"}, {}, {.min_objects = 4, .max_objects = 3}, "min_objects");
  bad(train, {"en", "de"}, {}, {.max_objects = 10}, "max_objects");
  bad({0, 1}, {"en", "de"}, {}, {}, "indices has 2");
  const Sampler sampler = make(glyphs, {});
  throws_with([&] { sampler.item(-1, 0); }, "epoch");
  throws_with([&] { sampler.item(0, -1); }, "index");
}

BOOST_AUTO_TEST_CASE(a_missing_strict_name_is_named) {
  test::EmojiFixture fixture;
  fixture.glyphs["glyphs"][3]["texts"].erase("de");
  fixture.save();
  const Glyphs glyphs = fixture.load();
  throws_with([&] { make(glyphs, {}); }, "g3", "de");
}

BOOST_AUTO_TEST_CASE(real_data_relevance_varies) {
  if (!test::have("data/emoji/split.json")) return;
  const Glyphs glyphs = Glyphs::load(test::cached("data/emoji"));
  const Split split = Split::load(test::cached("data/emoji"), glyphs);
  const Sampler sampler(glyphs, split.train, split.languages.strict, split.languages.weak, {.weak_share = 1});
  const std::set<std::string> unseen(split.languages.unseen.begin(), split.languages.unseen.end());
  const std::set<std::size_t> test(split.test.begin(), split.test.end());
  double sum = 0;
  int n = 0;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const Item item = sampler.item(0, i);
    BOOST_REQUIRE((!unseen.contains(item.language_a) && !unseen.contains(item.language_b)));
    for (const std::size_t object : item.objects) BOOST_REQUIRE(!test.contains(object));
    if (!item.strict && item.relevance) sum += *item.relevance, ++n;
  }
  BOOST_TEST(sum / n > 0.3);
  BOOST_TEST(sum / n < 0.55);
}

BOOST_AUTO_TEST_SUITE_END()
