// Padding: nothing is cut off, nothing is stretched, boxes follow.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "rc3/config/json.hpp"
#include "rc3/preprocess/fit.hpp"
#include "rc3/preprocess/prepare_image.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(visual_preprocess_pad)

using rc3::io::Image;
using rc3::preprocess::fit;
using rc3::preprocess::fitted_part;
using rc3::preprocess::PreprocessOptions;
using rc3::preprocess::PreprocessSize;
using rc3::test::throws_with;

PreprocessOptions padded(int width, int height) {
  return {.background = {10, 20, 30}, .resize = PreprocessSize{height, width, 0}, .pad = true};
}

Image red(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) image.rgba.insert(image.rgba.end(), {200, 0, 0, 255});
  return image;
}

/// Columns and rows of the image in the result; the rest must be background.
struct Inside {
  int left = 1000, right = -1, top = 1000, bottom = -1, pixels = 0;
};
Inside inside(const Image& image) {
  Inside in;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto* p = &image.rgba[static_cast<std::size_t>(y * image.width + x) * 4];
      if (p[0] == 200) {
        BOOST_TEST((p[1] == 0 && p[2] == 0));
        in = {std::min(in.left, x), std::max(in.right, x), std::min(in.top, y), std::max(in.bottom, y), in.pixels + 1};
      } else {
        BOOST_TEST((p[0] == 10 && p[1] == 20 && p[2] == 30 && p[3] == 255));
      }
    }
  BOOST_TEST(in.pixels == (in.right - in.left + 1) * (in.bottom - in.top + 1));
  return in;
}

BOOST_AUTO_TEST_CASE(the_image_is_whole_in_the_middle) {
  struct Case {
    int width, height, to_width, to_height, left, right, top, bottom;
  };
  for (const Case& c : {Case{200, 100, 40, 40, 0, 39, 10, 29}, Case{100, 200, 40, 40, 10, 29, 0, 39},
                        Case{30, 30, 40, 40, 0, 39, 0, 39}, Case{10, 5, 40, 40, 0, 39, 10, 29},
                        Case{80, 40, 60, 20, 10, 49, 0, 19}, Case{1000, 1, 20, 20, 0, 19, 10, 10}}) {
    const auto out = fit(red(c.width, c.height), padded(c.to_width, c.to_height));
    BOOST_TEST_REQUIRE(out.width == c.to_width);
    BOOST_TEST_REQUIRE(out.height == c.to_height);
    const Inside in = inside(out);
    BOOST_TEST(in.left == c.left);
    BOOST_TEST(in.right == c.right);
    BOOST_TEST(in.top == c.top);
    BOOST_TEST(in.bottom == c.bottom);
  }
}

BOOST_AUTO_TEST_CASE(the_part_is_the_images_in_its_own_pixels) {
  const auto part = fitted_part(200, 100, padded(40, 40));
  BOOST_TEST(part.left == 0);
  BOOST_TEST(part.top == -50);
  BOOST_TEST(part.width == 200);
  BOOST_TEST(part.height == 200);
}

BOOST_AUTO_TEST_CASE(boxes_follow) {
  const rc3::preprocess::PrepareImage<> prepare({.image = padded(40, 40)});
  rc3::preprocess::Regions regions;
  regions.width = 200;
  regions.height = 100;
  regions.boxes = {{20, 10, 120, 60}};
  rc3::Random random(1);
  const auto out = prepare(red(200, 100), regions, "x", random);
  BOOST_TEST_REQUIRE(out.regions.boxes.size() == 1u);
  const double expected[] = {4, 12, 24, 22};  // a fifth, 10 rows lower
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(double{out.regions.boxes[0][i]} - expected[i]) < 1e-4);
}

BOOST_AUTO_TEST_CASE(steps_that_do_not_fit_are_refused) {
  auto options = padded(40, 40);
  options.crop = PreprocessSize{40, 40, 0};
  throws_with([&] { fit(red(2, 2), options); }, "pad needs both sides of the resize, and no crop");
  throws_with([&] { rc3::preprocess::PrepareImage<>({.image = options}); }, "pad needs both sides");
  options = padded(40, 40);
  options.resize = PreprocessSize{0, 0, 40};
  throws_with([&] { fitted_part(2, 2, options); }, "pad needs both sides");
  options.resize.reset();
  throws_with([&] { fit(red(2, 2), options); }, "pad needs both sides");
}

BOOST_AUTO_TEST_CASE(it_is_an_option) {
  PreprocessOptions options;
  rc3::config::from_json(nlohmann::ordered_json{{"pad", true}}, options, "x");
  BOOST_TEST(options.pad);
  BOOST_TEST(rc3::config::to_json(options).at("pad") == true);
}

BOOST_AUTO_TEST_SUITE_END()
