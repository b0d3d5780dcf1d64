#include "rc3/io/hf/open_clip.hpp"

#include <boost/test/unit_test.hpp>

#include <ATen/ops/zeros.h>

#include <filesystem>

#include "rc3/io/file.hpp"
#include "rc3/model/dual_encoder.hpp"
#include "rc3/preprocess/open_clip.hpp"
#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(model_open_clip)

using namespace rc3;
using nlohmann::json;
using test::TempDir;
using test::throws_with;

namespace {

json config() {
  return {{"model_cfg",
           {{"embed_dim", 8},
            {"vision_cfg", {{"image_size", 32}, {"layers", 1}, {"width", 64}, {"patch_size", 16}}},
            {"text_cfg", {{"hf_model_name", "xlm-roberta-base"}, {"hf_tokenizer_name", "xlm-roberta-base"}}}}}};
}

void write(const TempDir& folder, const json& j) {
  io::write_file(folder.path() / "open_clip_config.json", j.dump());
  io::safetensors::save(folder.path() / "open_clip_model.safetensors",
                        {{"logit_scale", at::zeros({})}, {"visual.proj", at::zeros({64, 8})}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_directory_of_both_libraries_is_transformers) {
  const TempDir folder;
  write(folder, config());
  BOOST_TEST(io::is_open_clip(folder.path()));
  io::write_file(folder.path() / "model.safetensors", "");
  BOOST_TEST(!io::is_open_clip(folder.path()));
}

BOOST_AUTO_TEST_CASE(a_pickle_alone_is_refused_with_the_way_out) {
  const TempDir folder;
  io::write_file(folder.path() / "open_clip_config.json", config().dump());
  io::write_file(folder.path() / "open_clip_pytorch_model.bin", "\x80\x02");
  throws_with([&] { XlmRobertaClip::from_pretrained(folder.path()); }, "open_clip_model.safetensors", "pickle",
              "safe_serialization");
}

BOOST_AUTO_TEST_CASE(towers_that_are_not_computed_are_named) {
  const TempDir folder;
  const auto refused = [&](const char* pointer, const json& value, const auto&... words) {
    auto changed = config();
    changed[json::json_pointer(pointer)] = value;
    write(folder, changed);
    throws_with([&] { text::ClipXlmRobertaOptions::from_open_clip(io::OpenClip(folder.path())); }, words...);
  };
  refused("/model_cfg/text_cfg", json{{"width", 512}}, "text_cfg", "CLIP's own", "rc3::Clip");
  refused("/model_cfg/text_cfg/hf_model_name", "google/mt5-base", "google/mt5-base", "XLM-R");
  refused("/model_cfg/text_cfg/hf_pooler_type", "cls_pooler", "cls_pooler", "mean_pooler");
  refused("/model_cfg/text_cfg/hf_dropout", 0.5, "hf_dropout", "not computed");
  refused("/model_cfg/embed_dim", 8, "no tensor", "word_embeddings");

  const auto wrong_images = [&](const char* key, const json& value, const auto&... words) {
    auto changed = config();
    changed["model_cfg"]["vision_cfg"][key] = value;
    write(folder, changed);
    throws_with([&] { visual::backbone::ClipVision::from_pretrained(folder.path()); }, "open_clip_config.json",
                words...);
  };
  wrong_images("timm_model_name", "vit_base", "timm_model_name", "not computed");
  wrong_images("head_width", 48, "no multiple of head_width 48");
  wrong_images("width", 0, "width");
  write(folder, config());
  throws_with([&] { visual::backbone::ClipVision::from_pretrained(folder.path()); }, "names do not fit", "missing");
}

BOOST_AUTO_TEST_CASE(steps_of_images) {
  const TempDir folder;
  const auto with = [&](const json& steps) {
    auto changed = config();
    changed["preprocess_cfg"] = steps;
    write(folder, changed);
    return preprocess::open_clip_options(folder.path());
  };
  write(folder, config());
  const auto usual = preprocess::open_clip_options(folder.path());
  BOOST_TEST(usual.resize->shortest_edge == 32);
  BOOST_TEST(usual.crop->width == 32);
  BOOST_TEST(usual.std[2] == 0.27577711);
  const auto squash = with({{"size", {48, 48}}, {"resize_mode", "squash"}, {"interpolation", "bilinear"}});
  BOOST_TEST(squash.resize->height == 48);
  BOOST_TEST(!squash.crop);
  BOOST_TEST((squash.resample == io::Resample::bilinear));
  throws_with([&] { with({{"size", {48, 32}}}); }, "preprocess_cfg", "size", "48 x 32");
  throws_with([&] { with({{"resize_mode", "longest"}}); }, "resize_mode", "longest", "squash");
  throws_with([&] { with({{"std", {1, 1, 0}}}); }, "std", "above 0");
  throws_with([&] { with({{"timm", true}}); }, "timm", "not computed");
}

BOOST_AUTO_TEST_SUITE_END()
