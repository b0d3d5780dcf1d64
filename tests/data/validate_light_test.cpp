#include "rc3/data/check/validate.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

#include "rc3/preprocess/decode.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(validate)

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

Sample good() {
  Sample sample;
  sample.id = "7";
  sample.texts = {{"de", "Ein Frosch", 0}, {"en", "A frog", 0}, {"en", "On a leaf", 1}};
  sample.relevance = {{0, 2, 0.5f}};
  sample.regions = {
      .width = 100, .height = 50, .boxes = {{0, 0, 100, 50}, {1, 2, 3, 4}}, .features = {1, 2, 3, 4}, .classes = {}};
  return sample;
}

template <class Change>
void refused(Change change, std::string_view part) {
  Sample sample = good();
  change(sample);
  throws_with([&] { check_sample(sample, "a.jsonl:3"); }, "a.jsonl:3", part);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_whole_passes) {
  check_sample(good(), "here");
  Sample without = good();
  without.texts.clear();
  without.relevance.clear();
  without.regions = {};
  check_sample(without, "here");
}

BOOST_AUTO_TEST_CASE(each_field_is_looked_at) {
  refused([](Sample& s) { s.id = ""; }, "the id is empty");
  refused([](Sample& s) { s.id = "\xff"; }, "not UTF-8 at byte 0");
  refused([](Sample& s) { s.texts[1].language = ""; }, "a text has no language");
  refused([](Sample& s) { s.texts[0].text = " \t\n"; }, "de: the text is empty");
  refused([](Sample& s) { s.texts[0].text = "a\xc3"; }, "de: not UTF-8 at byte 1");
  refused([](Sample& s) { s.relevance[0].b = 3; }, "relevance of the texts 0 and 3, but there are 3");
  refused([](Sample& s) { s.relevance[0] = {2, 2, 0.5f}; }, "relevance of the texts 2 and 2");
  refused([](Sample& s) { s.relevance[0].value = 1.5f; }, "must be in [0, 1], is 1.5");
  refused([](Sample& s) { s.relevance[0].value = std::numeric_limits<float>::quiet_NaN(); }, "must be in [0, 1]");
  refused([](Sample& s) { s.regions.width = 0; }, "the image's size");
  refused([](Sample& s) { s.regions.boxes[1] = {3, 2, 3, 4}; }, "box 1 (3, 2, 3, 4)");
  refused([](Sample& s) { s.regions.boxes[0] = {0, 0, 101, 50}; }, "box 0 (0, 0, 101, 50)");
  refused([](Sample& s) { s.regions.boxes[0] = {0, 0, 1e30f, 50}; }, "box 0");
  refused([](Sample& s) { s.regions.boxes[0][0] = std::numeric_limits<float>::quiet_NaN(); }, "box 0");
  refused([](Sample& s) { s.regions.features.pop_back(); }, "3 numbers of features for 2 boxes");
  refused([](Sample& s) { s.regions.features[2] = std::numeric_limits<float>::infinity(); }, "not finite");
  refused([](Sample& s) { s.regions.boxes.clear(); }, "4 numbers of features for 0 boxes");
}

BOOST_AUTO_TEST_CASE(an_image_comes_from_wherever_it_is) {
  const test::TempDir folder;
  const io::Image image{2, 1, {1, 2, 3, 255, 4, 5, 6, 255}};
  const std::string png = io::encode_png(image);
  io::write_file(folder / "a.png", png);
  BOOST_TEST((decode_image(ImageSource(folder / "a.png"), "x").rgba == image.rgba));
  BOOST_TEST((decode_image(ImageSource(EncodedImage{png, "s.tar: a.png"}), "x").rgba == image.rgba));
  BOOST_TEST((decode_image(ImageSource(image), "x").rgba == image.rgba));
  throws_with([&] { decode_image(ImageSource{}, "s.tar: a"); }, "s.tar: a: has no image");
  throws_with([&] { decode_image(ImageSource(EncodedImage{png.substr(0, 20), "s.tar: a.png"}), "x"); }, "s.tar: a.png");
}

BOOST_AUTO_TEST_SUITE_END()
