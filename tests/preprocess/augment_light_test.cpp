#include "rc3/preprocess/augment.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/preprocess/fit.hpp"
#include "support/support.hpp"

using namespace rc3;
using namespace rc3::preprocess;
using test::at_most;
using test::throws_with;

namespace {

/// A dark image with one bright rectangle.
io::Image with_rectangle(int width, int height, const Box& box) {
  io::Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const float fx = static_cast<float>(x), fy = static_cast<float>(y);
      const bool inside = fx >= box[0] && fx < box[2] && fy >= box[1] && fy < box[3];
      for (int c = 0; c < 3; ++c) image.rgba.push_back(inside ? 250 : 5);
      image.rgba.push_back(255);
    }
  return image;
}

/// Where the bright pixels are.
Box bright(const io::Image& image) {
  Box box{1e9f, 1e9f, 0, 0};
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      if (image.rgba[static_cast<std::size_t>(y * image.width + x) * 4] < 128) continue;
      box = {std::min(box[0], static_cast<float>(x)), std::min(box[1], static_cast<float>(y)),
             std::max(box[2], static_cast<float>(x + 1)), std::max(box[3], static_cast<float>(y + 1))};
    }
  return box;
}

constexpr AugmentOptions nothing{.min_area = 1, .max_aspect = 1, .brightness = 0, .contrast = 0, .saturation = 0};

Regions regions_of(const Box& box, float width, float height) {
  return {.width = width, .height = height, .boxes = {box}, .features = {1, 2, 3}, .classes = {0.5f, 0.5f}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(augment)

BOOST_AUTO_TEST_CASE(boxes_follow_what_they_are_around) {
  const Box box{30, 20, 70, 50};
  const auto image = with_rectangle(120, 90, box);
  auto options = nothing;
  options.min_area = 0.3;
  options.max_aspect = 1.5;
  options.flip = 0.5;
  options.visible = 0.5;
  const Augment augment(options);
  float worst = 0;
  int kept = 0, gone = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    Random random(1, i);
    auto regions = regions_of({60, 40, 140, 100}, 240, 180);  // the detector saw the image twice as large
    const auto out = augment(image, regions, 160, 128, io::Resample::bilinear, random);
    BOOST_TEST(out.width == 160);
    BOOST_TEST(regions.width == 160.0f);
    if (regions.size() == 0) {
      BOOST_TEST(regions.features.empty());
      BOOST_TEST(regions.classes.empty());
      ++gone;
      continue;
    }
    ++kept;
    BOOST_TEST(regions.features.size() == 3u);
    const Box seen = bright(out), said = regions.boxes[0];
    for (std::size_t k = 0; k < 4; ++k) worst = std::max(worst, std::abs(seen[k] - said[k]));
  }
  BOOST_TEST(kept > 150);
  BOOST_TEST(gone > 5);
  at_most("a box against the pixels that it is around", worst, 1.5f);
}

BOOST_AUTO_TEST_CASE(what_stays_keeps_its_own_numbers) {
  const Regions all{.width = 100,
                    .height = 100,
                    .boxes = {{0, 0, 10, 10}, {60, 60, 80, 80}, {0, 0, 100, 100}},
                    .features = {1, 2, 3, 4, 5, 6},
                    .classes = {0.1f, 0.2f, 0.3f}};
  const auto right = follow(all, 50, 50, 50, 50, 100, 100, 0.25);
  BOOST_TEST(right.boxes.size() == 2u);
  BOOST_TEST((right.boxes[0] == Box{20, 20, 60, 60}));
  BOOST_TEST((right.features == std::vector<float>{3, 4, 5, 6}));
  BOOST_TEST((right.classes == std::vector<float>{0.2f, 0.3f}));
  BOOST_TEST(follow(all, 50, 50, 50, 50, 100, 100, 0.26).boxes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(crops_keep_what_the_options_say) {
  const auto image = with_rectangle(200, 100, {0, 0, 1, 1});
  auto options = nothing;
  options.min_area = 0.4;
  options.max_aspect = 1.3;
  options.visible = 0;
  const Augment augment(options);
  double least = 1, most = 0, narrow = 9, wide = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    Random random(1, i);
    // The whole image as one box: what is left of it after scaling back is the crop.
    Regions marks{.width = 200, .height = 100, .boxes = {}, .features = {}, .classes = {}};
    for (int x = 0; x < 200; ++x) marks.boxes.push_back({static_cast<float>(x), 0, static_cast<float>(x + 1), 100});
    for (int y = 0; y < 100; ++y) marks.boxes.push_back({0, static_cast<float>(y), 200, static_cast<float>(y + 1)});
    augment(image, marks, 10, 10, io::Resample::bilinear, random);
    double width = 0, height = 0;
    for (const Box& b : marks.boxes) (b[3] - b[1] > 9.999f && b[2] - b[0] < 9.999f ? width : height) += 1;
    const double area = width * height / 20000, aspect = width / height / 2;
    least = std::min(least, area), most = std::max(most, area);
    narrow = std::min(narrow, aspect), wide = std::max(wide, aspect);
  }
  test::at_least("smallest crop", least, 0.38);
  test::at_most("smallest crop of many", least, 0.45);
  test::at_least("largest crop", most, 0.9);
  test::at_least("narrowest crop", narrow, 1 / 1.34);
  test::at_most("widest crop", wide, 1.34);
  test::at_least("widest crop of many", wide, 1.2);
}

BOOST_AUTO_TEST_CASE(a_flip_is_a_flip) {
  auto options = nothing;
  options.flip = 1;
  const auto image = with_rectangle(10, 4, {1, 0, 3, 2});
  auto regions = regions_of({1, 0, 3, 2}, 10, 4);
  Random random(1);
  const auto out = Augment(options)(image, regions, 10, 4, io::Resample::bilinear, random);
  BOOST_TEST((bright(out) == Box{7, 0, 9, 2}));
  BOOST_TEST((regions.boxes[0] == Box{7, 0, 9, 2}));
}

BOOST_AUTO_TEST_CASE(colours_are_scaled_as_they_are_said_to_be) {
  io::Image image{3, 1, {10, 20, 30, 255, 100, 50, 200, 255, 90, 90, 90, 255}};
  const auto grey = [](double r, double g, double b) { return 0.299 * r + 0.587 * g + 0.114 * b; };
  for (std::uint64_t i = 0; i < 50; ++i) {
    auto options = nothing;
    options.brightness = 0.3, options.contrast = 0.4, options.saturation = 0.5;
    Random random(1, i);
    Regions none;
    const auto out = Augment(options)(image, none, 3, 1, io::Resample::bilinear, random);
    // The same draws again: area, aspect, left, top, flip, then the three factors.
    Random again(1, i);
    for (int k = 0; k < 5; ++k) again();
    const double b = again.uniform(0.7, 1.3), c = again.uniform(0.6, 1.4), s = again.uniform(0.5, 1.5);
    double mean = 0;
    for (std::size_t p = 0; p < 3; ++p)
      mean += b * grey(image.rgba[4 * p], image.rgba[4 * p + 1], image.rgba[4 * p + 2]) / 3;
    for (std::size_t p = 0; p < 3; ++p) {
      double v[3];
      for (std::size_t k = 0; k < 3; ++k) v[k] = mean + c * (b * image.rgba[4 * p + k] - mean);
      const double own = grey(v[0], v[1], v[2]);
      for (std::size_t k = 0; k < 3; ++k) {
        const double wanted = std::clamp(own + s * (v[k] - own), 0.0, 255.0);
        BOOST_TEST(std::abs(out.rgba[4 * p + k] - wanted) <= 0.51);
      }
      BOOST_TEST(out.rgba[4 * p + 3] == 255);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_numbers_give_the_same_image) {
  const auto image = with_rectangle(50, 40, {5, 5, 20, 30});
  const auto draw = [&](std::uint64_t i) {
    Random random(9, i, 2);
    Regions none;
    return Augment()(image, none, 32, 32, io::Resample::bicubic, random).rgba;
  };
  BOOST_TEST((draw(1) == draw(1)));
  BOOST_TEST((draw(1) != draw(2)));
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const auto with = [](auto change) {
    return [change] {
      auto options = nothing;
      change(options);
      Augment augment(options);
    };
  };
  throws_with(with([](auto& o) { o.min_area = 0; }), "min_area");
  throws_with(with([](auto& o) { o.max_aspect = 0.5; }), "max_aspect");
  throws_with(with([](auto& o) { o.flip = 2; }), "flip");
  throws_with(with([](auto& o) { o.contrast = 1; }), "contrast");
  throws_with(with([](auto& o) { o.visible = -1; }), "visible");
  throws_with([] { crop({2, 2, std::vector<std::uint8_t>(16)}, {1, 0, 2, 2}); }, "is not inside the image");
}

BOOST_AUTO_TEST_CASE(boxes_follow_a_resize_and_a_crop_of_the_centre) {
  const preprocess::PreprocessOptions both{.resize = preprocess::PreprocessSize{40, 60, 0}};
  const preprocess::PreprocessOptions centre{.resize = preprocess::PreprocessSize{0, 0, 64},
                                             .crop = preprocess::PreprocessSize{48, 48, 0}};
  const Box box{50, 30, 90, 60};
  const auto image = with_rectangle(150, 100, box);
  for (const auto& options : {both, centre}) {
    const auto out = preprocess::fit(image, options);
    const auto part = preprocess::fitted_part(150, 100, options);
    const auto followed =
        follow(regions_of(box, 150, 100), part.left, part.top, part.width, part.height, out.width, out.height, 0);
    const Box seen = bright(out), said = followed.boxes.at(0);
    for (std::size_t k = 0; k < 4; ++k) at_most("a box against its pixels", std::abs(seen[k] - said[k]), 1.0f);
  }
}

BOOST_AUTO_TEST_SUITE_END()
