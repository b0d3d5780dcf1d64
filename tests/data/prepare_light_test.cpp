#include "rc3/data/loader/prepare.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/data/loader/lengths.hpp"
#include "rc3/data/loader/loader.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(prepare)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

constexpr const char* weights = "weights/multilingual-e5-small";
const LanguageCounts counts{{"de", 2}, {"en", 2}};

/// Left half red, right half blue.
io::Image halves(int width, int height) {
  io::Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool left = 2 * x < width;
      for (const int c : {left ? 200 : 0, 10, left ? 0 : 200, 255}) image.rgba.push_back(static_cast<std::uint8_t>(c));
    }
  return image;
}

Sample frog() {
  Sample s;
  s.id = "frog";
  s.image = halves(40, 20);
  s.texts = {{"de", "Ein Frosch sitzt auf einem Blatt.", 0}, {"en", "A frog sits on a leaf.", 0}};
  s.regions = {.width = 80, .height = 40, .boxes = {{0, 0, 40, 40}}, .features = {7, 8}, .classes = {}};
  return s;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sample_becomes_pixels_boxes_and_ids) {
  if (!test::have(weights)) return;
  const auto tokenizer = text::Tokenizer::from_pretrained(test::cached(weights), {.prefix = "query: "});
  const PrepareSample prepare(tokenizer, counts, {.image = {.resize = preprocess::PreprocessSize{8, 12, 0}}});
  const auto p = prepare(frog(), 1, 0);
  BOOST_TEST(p.width == 12);
  BOOST_TEST(p.height == 8);
  BOOST_TEST(p.pixels.size() == 3u * 96);
  BOOST_TEST(p.pixels[0] == 200);           // red, first row, left
  BOOST_TEST(p.pixels[11] == 0);            // red, right
  BOOST_TEST(p.pixels[96] == 10);           // green
  BOOST_TEST(p.pixels[2 * 96] == 0);        // blue, left
  BOOST_TEST(p.pixels[3 * 96 - 1] == 200);  // blue, last row, right
  BOOST_TEST((p.regions.boxes.at(0) == Box{0, 0, 6, 8}));
  BOOST_TEST((p.regions.features == std::vector<float>{7, 8}));
  const auto de = tokenizer.encode(frog().texts[0].text), en = tokenizer.encode(frog().texts[1].text);
  BOOST_TEST(((p.a == de && p.b == en) || (p.a == en && p.b == de)));
  BOOST_TEST(p.strict);
  BOOST_TEST((p.relevance == 1.0f));
  BOOST_TEST(p.image_id == text_id("frog"));
  BOOST_TEST(p.caption_a_id == text_id(p.a == de ? frog().texts[0].text : frog().texts[1].text));
  BOOST_TEST(p.caption_b_id == text_id(p.b == de ? frog().texts[0].text : frog().texts[1].text));
}

BOOST_AUTO_TEST_CASE(what_is_drawn_is_a_function_of_seed_epoch_and_id) {
  if (!test::have(weights)) return;
  const auto tokenizer = text::Tokenizer::from_pretrained(test::cached(weights));
  const PrepareSample prepare(
      tokenizer, counts,
      {.image = {.resize = preprocess::PreprocessSize{16, 16, 0}}, .augment = preprocess::AugmentOptions{}});
  const auto first = prepare(frog(), 1, 0), again = prepare(frog(), 1, 0);
  BOOST_TEST((first.pixels == again.pixels && first.a == again.a && first.regions.boxes == again.regions.boxes));
  Sample other = frog();
  other.id = "toad";
  BOOST_TEST((prepare(frog(), 1, 1).pixels != first.pixels));
  BOOST_TEST((prepare(frog(), 2, 0).pixels != first.pixels));
  BOOST_TEST((prepare(other, 1, 0).pixels != first.pixels));
  int swapped = 0;
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) swapped += prepare(frog(), 1, epoch).a != first.a;
  BOOST_TEST((swapped > 8 && swapped < 32));
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_said) {
  if (!test::have(weights)) return;
  const auto tokenizer = text::Tokenizer::from_pretrained(test::cached(weights));
  const PrepareSample prepare(tokenizer, counts);
  Sample alone = frog();
  alone.texts.pop_back();
  throws_with([&] { prepare(alone, 1, 0); }, "frog: has no two texts that make a pair");
  Sample broken = frog();
  broken.image = EncodedImage{"GIF89a", "a.tar: frog.gif"};
  throws_with([&] { prepare(broken, 1, 0); }, "a.tar: frog.gif");
  Sample blind = frog();
  blind.image = std::monostate{};
  BOOST_TEST(prepare(blind, 1, 0).pixels.empty());
  throws_with([&] { PrepareSample(tokenizer, counts, {.image = {}}); }, "must become of one size");
  throws_with(
      [&] {
        PrepareSample(tokenizer, counts, {.image = {.resize = preprocess::PreprocessSize{0, 0, 20}}});
      },
      "must become of one size");
}

BOOST_AUTO_TEST_CASE(lengths_are_those_of_the_longest_text) {
  if (!test::have(weights)) return;
  struct Two {
    LanguageCounts languages_ = counts;
    const char* name() const { return "two"; }
    std::int64_t size() const { return 3; }
    Sample read(std::int64_t i) const {
      require(i != 1, "two: sample 1 is damaged");
      Sample s = frog();
      if (i == 2) s.texts[1].text = "A frog.";
      return s;
    }
    const LanguageCounts& languages() const { return languages_; }
  };
  const auto tokenizer = text::Tokenizer::from_pretrained(test::cached(weights));
  const auto size = [&](const char* text) { return static_cast<std::int32_t>(tokenizer.encode(text).size()); };
  const auto de = size("Ein Frosch sitzt auf einem Blatt."), en = size("A frog sits on a leaf.");
  for (const std::size_t threads : {1, 3}) {
    const auto lengths = measure_lengths(Two(), tokenizer, threads);
    BOOST_TEST((*lengths == Lengths{std::max(de, en), 1, de}));
  }
}

BOOST_AUTO_TEST_SUITE_END()
