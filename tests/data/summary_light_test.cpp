#include "rc3/data/check/summary.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(summary)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

class Album {
 public:
  explicit Album(std::vector<Sample> samples) : samples_(std::move(samples)) {}
  const char* name() const { return "album"; }
  std::int64_t size() const { return static_cast<std::int64_t>(samples_.size()); }
  Sample read(std::int64_t i) const { return samples_[static_cast<std::size_t>(i)]; }
  const LanguageCounts& languages() const { return languages_; }

 private:
  std::vector<Sample> samples_;
  LanguageCounts languages_;
};

Sample sample(const char* id, ImageSource image, std::vector<Text> texts) {
  Sample s;
  s.id = id;
  s.image = std::move(image);
  s.texts = std::move(texts);
  return s;
}

io::Image blank(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 4))};
}

}  // namespace

BOOST_AUTO_TEST_CASE(everything_is_counted) {
  auto scene = sample("b", blank(30, 40), {{"de", "äöü", 0}, {"en", "abc", 0}, {"zh", "青蛙", 1}});
  scene.regions = {
      .width = 30, .height = 40, .boxes = {{0, 0, 1, 1}, {0, 0, 2, 2}}, .features = {1, 2, 3, 4, 5, 6}, .classes = {}};
  scene.relevance = {{0, 2, 0.5f}};
  const Album album({sample("a", blank(10, 20), {{"en", "a", 0}, {"en", "ab", 1}}), scene,
                     sample("c", std::monostate{}, {{"de", "abcd", 0}, {"en", "x", 1}}),
                     sample("broken", EncodedImage{"\x89PNG", "s.tar: broken.png"}, {}),
                     sample("blank", std::monostate{}, {{"en", " ", 0}})});
  for (const int workers : {0, 2}) {
    DataErrors errors;
    std::int64_t seen = 0;
    auto s = summarise(album, errors, workers, [&](std::int64_t n) { seen = n; });
    BOOST_TEST(seen == 5);
    BOOST_TEST(s.samples == 3);
    BOOST_TEST(s.with_image == 2);
    BOOST_TEST(s.with_regions == 1);
    BOOST_TEST(s.with_relevance == 1);
    BOOST_TEST(s.with_strict_pair == 1);
    BOOST_TEST(s.with_weak_pair == 2);
    BOOST_TEST(s.languages.size() == 3u);
    BOOST_TEST(s.languages["en"].count() == 4);
    BOOST_TEST(s.languages["en"].quantile(0) == 1);
    BOOST_TEST(s.languages["en"].quantile(1) == 3);
    BOOST_TEST(s.languages["de"].quantile(0) == 3);  // letters, not bytes
    BOOST_TEST(s.languages["zh"].quantile(0.5) == 2);
    BOOST_TEST(s.width.quantile(0) == 10);
    BOOST_TEST(s.height.quantile(1) == 40);
    BOOST_TEST(s.regions.quantile(0.5) == 2);
    BOOST_TEST(s.features.count() == 1);
    BOOST_TEST(s.features.quantile(0) == 3);
    BOOST_TEST(errors.count("damaged sample") == 2);
    const std::string report = errors.report();
    BOOST_TEST((report.find("s.tar: broken.png") != std::string::npos));
    BOOST_TEST((report.find("album: blank: en: the text is empty") != std::string::npos));
  }
  DataErrors none;
  BOOST_TEST(summarise(Album({}), none).samples == 0);
}

BOOST_AUTO_TEST_CASE(quantiles) {
  Distribution d;
  throws_with([&] { d.quantile(0.5); }, "quantile 0.5 of 0 values");
  for (const int x : {5, 1, 9, 3, 7}) d.add(x);
  BOOST_TEST(d.quantile(0) == 1);
  BOOST_TEST(d.quantile(0.5) == 5);
  BOOST_TEST(d.quantile(0.75) == 7);
  BOOST_TEST(d.quantile(1) == 9);
  d.add(11);
  BOOST_TEST(d.quantile(1) == 11);
}

BOOST_AUTO_TEST_SUITE_END()
