#include "rc3/preprocess/options.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(visual_preprocess_options)

using nlohmann::json;
using rc3::preprocess::PreprocessOptions;
using rc3::test::throws_with;

const json clip = {{"image_processor_type", "CLIPImageProcessor"},
                   {"do_resize", true},
                   {"size", {{"shortest_edge", 224}}},
                   {"resample", 3},
                   {"do_center_crop", true},
                   {"crop_size", {{"height", 224}, {"width", 200}}},
                   {"do_rescale", true},
                   {"rescale_factor", 0.00392156862745098},
                   {"do_normalize", true},
                   {"image_mean", {0.48145466, 0.4578275, 0.40821073}},
                   {"image_std", {0.26862954, 0.26130258, 0.27577711}},
                   {"do_convert_rgb", true}};

json with(json config, const char* key, const json& value) {
  config[key] = value;
  return config;
}

json without(json config, const char* key) {
  config.erase(key);
  return config;
}

PreprocessOptions read(const json& config, const std::string& model = "") {
  const rc3::test::TempDir folder;
  rc3::io::write_file(folder / "preprocessor_config.json", config.dump());
  if (!model.empty()) rc3::io::write_file(folder / "config.json", model);
  return PreprocessOptions::from_pretrained(folder.path());
}

void refused(const json& config, std::string_view key) {
  throws_with([&] { read(config); }, "preprocessor_config.json", rc3::join('"', key, '"'));
}

BOOST_AUTO_TEST_CASE(clip_as_it_is_written_now) {
  const auto options = read(clip);
  BOOST_REQUIRE(options.resize.has_value());
  BOOST_TEST(options.resize->shortest_edge == 224);
  BOOST_TEST((options.resample == rc3::io::Resample::bicubic));
  BOOST_REQUIRE(options.crop.has_value());
  BOOST_TEST(options.crop->height == 224);
  BOOST_TEST(options.crop->width == 200);
  BOOST_TEST(options.rescale == 0.00392156862745098);
  BOOST_TEST(options.mean[2] == 0.40821073);
  BOOST_TEST(options.std[0] == 0.26862954);
  BOOST_TEST((options.background == rc3::io::white));
}

BOOST_AUTO_TEST_CASE(a_bare_number_is_the_shorter_side_for_clip_only) {
  const auto sides = [](const json& config) {
    const auto size = *read(config).resize;
    return rc3::join(size.height, ' ', size.width, ' ', size.shortest_edge);
  };
  const json bare = with(clip, "size", 96);
  BOOST_TEST(sides(bare) == "0 0 96");
  for (const char* type :
       {"ViTImageProcessor", "SiglipImageProcessor", "ViTFeatureExtractor", "SiglipImageProcessorFast"})
    BOOST_TEST(sides(with(bare, "image_processor_type", type)) == "96 96 0");
  BOOST_TEST(sides(with(bare, "default_to_square", true)) == "96 96 0");
  BOOST_TEST(sides(with(clip, "size", {{"height", 7}, {"width", 9}})) == "7 9 0");
  const auto crop = *read(with(clip, "crop_size", 50)).crop;
  BOOST_TEST(crop.height == 50);
  BOOST_TEST(crop.width == 50);
}

BOOST_AUTO_TEST_CASE(files_of_old_versions) {
  json old = without(without(without(clip, "image_processor_type"), "do_rescale"), "rescale_factor");
  old["feature_extractor_type"] = "CLIPFeatureExtractor";
  BOOST_TEST(read(old).rescale == 1.0 / 255);
  BOOST_TEST(read(without(old, "feature_extractor_type"), R"({"model_type": "clip"})").rescale == 1.0 / 255);
  throws_with([&] { read(without(old, "feature_extractor_type")); }, "preprocessor_config.json",
              "\"image_processor_type\"");
}

BOOST_AUTO_TEST_CASE(steps_that_are_off) {
  json off = clip;
  for (const char* key : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"}) off[key] = false;
  for (const char* key : {"size", "resample", "crop_size", "rescale_factor", "image_mean", "image_std"}) off.erase(key);
  const auto options = read(off);
  BOOST_TEST(!options.resize.has_value());
  BOOST_TEST(!options.crop.has_value());
  BOOST_TEST(options.rescale == 1);
  BOOST_TEST(options.mean[0] == 0);
  BOOST_TEST(options.std[0] == 1);
  // Null is what transformers writes for a step that a class does not have.
  BOOST_TEST(
      !read(with(with(clip, "image_processor_type", "ViTImageProcessor"), "do_center_crop", nullptr)).crop.has_value());
}

BOOST_AUTO_TEST_CASE(what_decides_something_must_be_there) {
  for (const char* key : {"do_resize", "size", "resample", "do_center_crop", "crop_size", "image_mean", "image_std"})
    refused(without(clip, key), key);
  for (const char* key : {"do_rescale", "rescale_factor", "do_normalize"})  // defaults of transformers' classes
    BOOST_TEST(read(without(clip, key)).mean[2] * read(without(clip, key)).rescale == 0.40821073 / 255);
  BOOST_TEST(read(without(clip, "do_convert_rgb")).crop.has_value());  // images are RGB here in any case
}

BOOST_AUTO_TEST_CASE(of_two_files_the_one_that_transformers_reads) {
  const auto here = PreprocessOptions::from_pretrained(rc3::test::source("tests/preprocess/files/processors"));
  BOOST_TEST(here.resize->shortest_edge == 32);
  BOOST_TEST(here.mean[0] == 0.48145466);
  BOOST_TEST(here.std[2] == 0.27577711);
}

BOOST_AUTO_TEST_CASE(other_forms_are_refused) {
  refused(with(clip, "image_processor_type", "ConvNextImageProcessor"), "ConvNextImageProcessor");
  for (const int resample : {0, 1, 4, 5, -1}) refused(with(clip, "resample", resample), "resample");
  refused(with(clip, "resample", "bicubic"), "resample");
  refused(with(clip, "size", {{"shortest_edge", 224}, {"longest_edge", 300}}), "size");
  refused(with(clip, "size", {{"height", 224}}), "size");
  refused(with(clip, "size", 0), "size");
  refused(with(clip, "size", {{"shortest_edge", 20000}}), "size.shortest_edge");
  refused(with(clip, "size", {{"height", -1}, {"width", 4}}), "size.height");
  refused(with(clip, "crop_size", {{"shortest_edge", 224}}), "crop_size");
  refused(with(clip, "image_mean", {0.5, 0.5}), "image_mean");
  refused(with(clip, "image_mean", 0.5), "image_mean");
  refused(with(clip, "image_std", {0.5, 0.0, 0.5}), "image_std");
  refused(with(clip, "rescale_factor", 0), "rescale_factor");
  refused(with(clip, "do_pad", true), "do_pad");
  BOOST_TEST(read(with(clip, "do_pad", nullptr)).crop.has_value());
  throws_with([] { PreprocessOptions::from_pretrained("/nowhere"); }, "/nowhere/preprocessor_config.json");
}

BOOST_AUTO_TEST_SUITE_END()
