#include "rc3/io/image/resize.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/core/random.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(io_image_resize)

using rc3::io::Image;
using rc3::io::Resample;
using rc3::io::resize;
using rc3::test::throws_with;

/// A row of grey values, opaque.
Image row(const std::vector<int>& values) {
  Image image{static_cast<int>(values.size()), 1, {}};
  for (const int value : values)
    for (const int byte : {value, value, value, 255}) image.rgba.push_back(static_cast<std::uint8_t>(byte));
  return image;
}

std::vector<int> greys(const Image& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.rgba.size(); i += 4) values.push_back(image.rgba[i]);
  return values;
}

BOOST_AUTO_TEST_CASE(both_filters_on_a_step) {
  const Image step = row({0, 0, 0, 0, 200, 200, 200, 200});
  // What Pillow gives for Image.fromarray(step).resize((4, 1), filter) and for (16, 1).
  const std::vector<int> halved_bilinear = {0, 25, 175, 200}, halved_bicubic = {0, 13, 187, 203};
  const std::vector<int> doubled_bilinear = {0, 0, 0, 0, 0, 0, 0, 50, 150, 200, 200, 200, 200, 200, 200, 200};
  const std::vector<int> doubled_bicubic = {0, 0, 0, 0, 0, 0, 0, 41, 159, 214, 205, 200, 200, 200, 200, 200};
  BOOST_TEST(greys(resize(step, 4, 1, Resample::bilinear)) == halved_bilinear, boost::test_tools::per_element());
  BOOST_TEST(greys(resize(step, 4, 1, Resample::bicubic)) == halved_bicubic, boost::test_tools::per_element());
  BOOST_TEST(greys(resize(step, 16, 1, Resample::bilinear)) == doubled_bilinear, boost::test_tools::per_element());
  BOOST_TEST(greys(resize(step, 16, 1, Resample::bicubic)) == doubled_bicubic, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_colour_stays_one_colour) {
  const Image image{7, 5, std::vector<std::uint8_t>(7 * 5 * 4, 93)};
  for (const auto filter : {Resample::bilinear, Resample::bicubic})
    for (const auto& [width, height] : {std::pair{3, 2}, {50, 50}, {50, 2}, {3, 40}, {1, 1}, {7, 9}, {2, 5}}) {
      const Image out = resize(image, width, height, filter);
      BOOST_TEST(out.width == width);
      BOOST_TEST(out.height == height);
      BOOST_TEST((out.rgba == std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 4), 93)));
    }
}

BOOST_AUTO_TEST_CASE(the_same_size_is_the_same_image) {
  const Image image = row({3, 250, 0, 77});
  BOOST_TEST((resize(image, 4, 1, Resample::bicubic).rgba == image.rgba));
}

/// What detail::weigh_* compute, one byte after the other, in 64 bits.
Image plain(const Image& image, int width, int height, Resample filter) {
  using rc3::io::detail::taps;
  const auto pass = [](const Image& in, bool rows, int to, Resample f) {
    const auto t = taps(rows ? in.height : in.width, to, f);
    Image out{rows ? in.width : to, rows ? to : in.height, {}};
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        for (int c = 0; c < 4; ++c) {
          const auto i = static_cast<std::size_t>(rows ? y : x);
          std::int64_t sum = 1 << 21;
          for (int k = 0; k < t.ranges[i].count; ++k) {
            const int yy = rows ? t.ranges[i].first + k : y, xx = rows ? x : t.ranges[i].first + k;
            sum += std::int64_t{in.rgba[static_cast<std::size_t>((yy * in.width + xx) * 4 + c)]} *
                   t.weights[i * static_cast<std::size_t>(t.most) + static_cast<std::size_t>(k)];
          }
          out.rgba.push_back(static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> 22, 0, 255)));
        }
    return out;
  };
  Image out = image;
  if (height < image.height && image.height - height > 2 * (image.width - width)) out = pass(out, true, height, filter);
  if (width != out.width) out = pass(out, false, width, filter);
  if (height != out.height) out = pass(out, true, height, filter);
  return out;
}

BOOST_AUTO_TEST_CASE(two_weights_at_a_time_are_one_after_the_other) {
  rc3::Random random(4);
  std::int64_t differing = 0;
  const auto compare = [&](int w, int h, int to_w, int to_h) {
    Image image{w, h, std::vector<std::uint8_t>(static_cast<std::size_t>(w * h * 4))};
    const bool harsh = random.chance(0.5);  // black and white only: the sums go as far as they can
    for (auto& byte : image.rgba) byte = static_cast<std::uint8_t>(harsh ? 255 * random.below(2) : random.below(256));
    for (const auto filter : {Resample::bilinear, Resample::bicubic}) {
      const auto seen = resize(image, to_w, to_h, filter).rgba, wanted = plain(image, to_w, to_h, filter).rgba;
      for (std::size_t i = 0; i < wanted.size(); ++i) differing += seen[i] != wanted[i];
    }
  };
  for (int i = 0; i < 300; ++i) {
    const auto side = [&] { return 1 + static_cast<int>(random.below(40)); };
    compare(side(), side(), side(), side());
  }
  compare(16384, 1, 1, 1);  // more weights than halves may be summed
  compare(1, 16384, 1, 2);
  compare(5000, 3, 2, 3);
  rc3::test::at_most("bytes that differ from plain sums", differing, 0);
}

BOOST_AUTO_TEST_CASE(sides_are_bounded) {
  throws_with([] { resize(row({1}), 0, 1, Resample::bilinear); }, "io::resize: to 0 x 1");
  throws_with([] { resize(row({1}), 1, 16385, Resample::bilinear); }, "io::resize: to 1 x 16385", "1 to 16384");
  throws_with([] { resize(Image{}, 1, 1, Resample::bilinear); }, "the image is empty");
}

BOOST_AUTO_TEST_SUITE_END()
