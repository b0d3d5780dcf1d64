#include "rc3/visual/backbone/pixel_norm.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/preprocess/options.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(backbone_pixel_norm)

using namespace rc3::test;
using nlohmann::json;
using rc3::visual::backbone::PixelNorm;

bool same(const PixelNorm& a, const PixelNorm& b) {
  return a.mean == b.mean && a.deviation == b.deviation && a.rescale == b.rescale;
}

BOOST_AUTO_TEST_CASE(pixel_norm_by_hand) {
  const PixelNorm norm{{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 0.01};
  const auto pixels = at::arange(24, at::kByte).view({1, 3, 2, 4});
  const auto x = norm(pixels);
  BOOST_TEST((x.scalar_type() == at::kFloat));
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 8; ++i) {
      const double expected = (0.01 * (8 * c + i) - 0.1 * (c + 1)) / (0.3 + 0.1 * (c + 1));
      BOOST_TEST(std::abs(x[0][c].flatten()[i].item<double>() - expected) < 1e-6);
    }
  BOOST_TEST(norm(pixels.to(at::kFloat)).equal(x));
  const auto clip = PixelNorm::clip()(at::full({1, 3, 1, 1}, 255, at::kByte)).flatten();
  at_most("PixelNorm: CLIP's white",
          max_difference(clip, at::tensor({1.93033625, 2.07488384, 2.14589699}, at::kDouble)), 1e-5);
}

BOOST_AUTO_TEST_CASE(the_directory_says_what_the_norm_is) {
  const TempDir folder;
  const auto read = [&] { return PixelNorm::from_directory(folder.path(), PixelNorm::clip()); };
  const auto write = [&](const char* file, const json& content) { rc3::io::write_file(folder / file, content.dump()); };
  BOOST_TEST(same(read(), PixelNorm::clip()));
  json keys{{"image_mean", {0.1, 0.2, 0.3}}, {"image_std", {0.4, 0.5, 0.6}}, {"rescale_factor", 0.01}};
  write("preprocessor_config.json", keys);
  BOOST_TEST(same(read(), {{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 0.01}));
  keys.erase("rescale_factor");
  write("preprocessor_config.json", keys);
  BOOST_TEST(same(read(), {{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 1 / 255.0}));
  write("preprocessor_config.json", {{"do_normalize", false}, {"do_rescale", false}, {"rescale_factor", 0.5}});
  BOOST_TEST(same(read(), {{0, 0, 0}, {1, 1, 1}, 1}));
  // Of a directory with both, transformers 5 takes the processor's.
  write("processor_config.json", {{"image_processor", keys}});
  BOOST_TEST(same(read(), {{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 1 / 255.0}));
  write("processor_config.json", {{"processor_class", "CLIPProcessor"}});
  BOOST_TEST(same(read(), {{0, 0, 0}, {1, 1, 1}, 1}));
}

BOOST_AUTO_TEST_CASE(the_norm_is_that_of_the_preprocessing) {
  const auto folder = source("tests/preprocess/files/processors");  // two files with different numbers
  const auto options = rc3::preprocess::PreprocessOptions::from_pretrained(folder);
  BOOST_TEST(same(PixelNorm::from_directory(folder, {}), {options.mean, options.std, options.rescale}));
  BOOST_TEST(same(PixelNorm::from_directory(folder, {}), PixelNorm::clip()));
}

BOOST_AUTO_TEST_CASE(norms_that_are_refused) {
  const TempDir folder;
  const json good{{"image_mean", {0.1, 0.2, 0.3}}, {"image_std", {0.4, 0.5, 0.6}}, {"rescale_factor", 0.01}};
  const auto refused = [&](const char* key, const json& value, const auto&... parts) {
    auto keys = good;
    keys[key] = value;
    if (value.is_null()) keys.erase(key);
    rc3::io::write_file(folder / "preprocessor_config.json", keys.dump());
    throws_with([&] { PixelNorm::from_directory(folder.path(), {}); }, "preprocessor_config.json", key, parts...);
  };
  refused("image_mean", nullptr, "missing");
  refused("image_std", nullptr, "missing");
  refused("image_std", {0.4, 0.0, 0.6}, "above 0");
  refused("image_mean", {0.4, 0.5}, "three numbers");
  refused("rescale_factor", 0, "above 0");
  refused("rescale_factor", "1/255", "number");
}

BOOST_AUTO_TEST_CASE(saving_keeps_the_other_keys) {
  const TempDir folder;
  const PixelNorm norm{{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, 0.01};
  const auto file = folder / "preprocessor_config.json";
  norm.save(folder.path(), {{"resample", 2}});
  BOOST_TEST(same(PixelNorm::from_directory(folder.path(), {}), norm));
  BOOST_TEST(rc3::io::read_json(file)["resample"] == 2);
  rc3::io::write_file(file, R"({"resample": 3, "do_normalize": false})");
  norm.save(folder.path(), {{"resample", 2}});
  BOOST_TEST(same(PixelNorm::from_directory(folder.path(), {}), norm));
  BOOST_TEST(rc3::io::read_json(file)["resample"] == 3);
  rc3::io::write_file(folder / "processor_config.json", R"({"image_processor": {"resample": 1}, "a": 1})");
  PixelNorm::clip().save(folder.path(), {});
  BOOST_TEST(same(PixelNorm::from_directory(folder.path(), {}), PixelNorm::clip()));
  const auto both = rc3::io::read_json(folder / "processor_config.json");
  BOOST_TEST((both["a"] == 1 && both["image_processor"]["resample"] == 1));
}

BOOST_AUTO_TEST_SUITE_END()
