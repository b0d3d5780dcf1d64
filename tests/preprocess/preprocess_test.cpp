#include "rc3/preprocess/preprocess.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "rc3/io/file.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(visual_preprocess)

using rc3::io::Image;
using rc3::preprocess::Preprocess;
using rc3::preprocess::PreprocessOptions;
using rc3::preprocess::PreprocessSize;
using rc3::test::throws_with;

/// Red numbers the columns, green the rows; opaque.
Image numbered(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {x + 1, y + 1, 7, 255}) image.rgba.push_back(static_cast<std::uint8_t>(value));
  return image;
}

std::vector<int> column(const at::Tensor& pixels) {
  const auto row = pixels[1].to(at::kInt).contiguous().select(1, pixels.size(2) / 2).contiguous();
  return {row.data_ptr<int>(), row.data_ptr<int>() + row.numel()};
}

BOOST_AUTO_TEST_CASE(nothing_to_do_keeps_the_bytes) {
  const auto pixels = Preprocess(PreprocessOptions{})(numbered(5, 3));
  BOOST_TEST((pixels.scalar_type() == at::kByte));
  BOOST_TEST((pixels.sizes() == at::IntArrayRef{3, 3, 5}));
  BOOST_TEST(pixels.is_contiguous());
  BOOST_TEST((column(pixels) == std::vector<int>{1, 2, 3}));
  BOOST_TEST(pixels[0][0][4].item<int>() == 5);
  BOOST_TEST(pixels[2][2][2].item<int>() == 7);
}

BOOST_AUTO_TEST_CASE(the_centre_is_cropped_and_padded_as_transformers_does) {
  const auto cropped = [](int have, int want) {
    return column(Preprocess({.crop = PreprocessSize{want, want, 0}})(numbered(have, have)));
  };
  BOOST_TEST(cropped(5, 3) == (std::vector<int>{2, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST(cropped(6, 3) == (std::vector<int>{2, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST(cropped(3, 5) == (std::vector<int>{0, 1, 2, 3, 0}), boost::test_tools::per_element());
  BOOST_TEST(cropped(2, 5) == (std::vector<int>{0, 0, 1, 2, 0}), boost::test_tools::per_element());
  const auto mixed = Preprocess({.crop = PreprocessSize{4, 2, 0}})(numbered(5, 3));  // taller and narrower
  BOOST_TEST((mixed.sizes() == at::IntArrayRef{3, 4, 2}));
  BOOST_TEST(column(mixed) == (std::vector<int>{0, 1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(mixed[0][1][0].item<int>() == 2);
}

BOOST_AUTO_TEST_CASE(the_shorter_side_decides) {
  const auto size = [](int width, int height, int edge) {
    const auto pixels = Preprocess({.resize = PreprocessSize{0, 0, edge}})(numbered(width, height));
    return rc3::join(pixels.size(2), " x ", pixels.size(1));
  };
  BOOST_TEST(size(320, 213, 224) == "336 x 224");  // 336.5
  BOOST_TEST(size(213, 320, 224) == "224 x 336");
  BOOST_TEST(size(99, 100, 50) == "50 x 50");  // 50.5
  BOOST_TEST(size(7, 7, 50) == "50 x 50");
  throws_with([&] { size(1, 100, 200); }, "preprocess::Preprocess", "1 x 100 pixels is too narrow", "20000");
}

BOOST_AUTO_TEST_CASE(transparent_parts_show_the_background) {
  const Image half{1, 1, {100, 0, 200, 128}};
  const auto white = Preprocess(PreprocessOptions{})(half);
  BOOST_TEST(white[0][0][0].item<int>() == 177);  // (128 * 100 + 127 * 255) / 255
  const auto blue = Preprocess({.background = {0, 0, 255}})(half);
  BOOST_TEST(blue[1][0][0].item<int>() == 0);
  BOOST_TEST(blue[2][0][0].item<int>() == 227);
}

BOOST_AUTO_TEST_CASE(normalize_is_the_formula) {
  PreprocessOptions options;
  options.rescale = 1.0 / 255;
  options.mean = {0.1, 0.2, 0.3};
  options.std = {0.5, 0.25, 2};
  const Preprocess preprocess(options);
  const auto pixels = at::arange(24, at::kByte).view({2, 3, 2, 2}) * 10;
  const auto out = preprocess.normalize(pixels);
  BOOST_TEST((out.scalar_type() == at::kFloat));
  double worst = 0;
  for (int b = 0; b < 2; ++b)
    for (int c = 0; c < 3; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double pixel = 10 * ((b * 3 + c) * 4 + 3);
      worst =
          std::max(worst, std::abs(out[b][c][1][1].item<double>() - (pixel / 255 - options.mean[i]) / options.std[i]));
    }
  rc3::test::at_most("preprocess::Preprocess::normalize: difference from the formula", worst, 1e-6);
  BOOST_TEST(at::equal(out, preprocess.normalize(pixels.to(at::kFloat))));
  throws_with([&] { preprocess.normalize(pixels[0]); }, "preprocess::Preprocess", "pixels");
}

BOOST_AUTO_TEST_CASE(a_batch_wants_one_size) {
  const std::vector<Image> images = {numbered(4, 4), numbered(8, 8)};
  const auto pixels = Preprocess({.resize = PreprocessSize{6, 5, 0}})(images);
  BOOST_TEST((pixels.sizes() == at::IntArrayRef{2, 3, 6, 5}));
  throws_with([&] { Preprocess(PreprocessOptions{})(images); }, "preprocess::Preprocess: image 1", "[3, 8, 8]");
  throws_with([&] { Preprocess(PreprocessOptions{})(std::vector<Image>{}); }, "no images");
  throws_with([&] { Preprocess(PreprocessOptions{})(Image{}); }, "the image is empty");
}

BOOST_AUTO_TEST_CASE(a_folder_is_read) {
  const rc3::test::TempDir folder;
  rc3::io::write_file(
      folder / "preprocessor_config.json",
      R"({"image_processor_type": "SiglipImageProcessor", "do_resize": true, "size": {"height": 8, "width": 6},
                          "resample": 3, "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true,
                          "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]})");
  const auto preprocess = Preprocess::from_pretrained(folder.path());
  const auto pixels = preprocess(numbered(20, 20));
  BOOST_TEST((pixels.sizes() == at::IntArrayRef{3, 8, 6}));
  const auto values = preprocess.normalize(at::full({1, 3, 2, 2}, 255, at::kByte));
  BOOST_TEST(values.min().item<float>() == 1.0F);
  BOOST_TEST(values.max().item<float>() == 1.0F);
}

BOOST_AUTO_TEST_SUITE_END()
