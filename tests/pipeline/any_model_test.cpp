#include "rc3/pipeline/any_model.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "rc3/io/safetensors.hpp"
#include "rc3/model/dual_encoder.hpp"
#include "rc3/pipeline/embedder.hpp"
#include "rc3/pipeline/save.hpp"
#include "support/clip_files.hpp"
#include "support/small_towers.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"
#include "tiny.hpp"

BOOST_AUTO_TEST_SUITE(pipeline_any_model)

using namespace rc3::test;
using rc3::AnyModel;
using rc3::Clip;
using rc3::Pipeline;
using rc3::Siglip;

/// A small random CLIP with a tokenizer, and its model directory.
struct SavedClip : ClipFiles {
  SavedClip() { rc3::save(clip, saved()); }
  std::filesystem::path saved() const { return path() / "saved"; }

  Pipeline<Clip> make() const {
    torch::manual_seed(5);
    auto vision = small(rc3::visual::backbone::ClipVisionOptions());
    vision.projection = 16;
    auto text = small(rc3::text::ClipTextOptions());
    text.vocabulary = static_cast<std::int64_t>(vocabulary.size());
    text.positions = 12;
    text.eos = id("<|endoftext|>");
    Pipeline<Clip> made{std::make_shared<Clip>(std::make_shared<rc3::visual::backbone::ClipVision>(vision),
                                               std::make_shared<rc3::text::ClipText>(text)),
                        rc3::text::ClipTokenizer::from_pretrained(path(), {.max_length = 12}),
                        {.resize = rc3::preprocess::PreprocessSize{16, 16, 0}}};
    made.model->eval();
    return made;
  }

  Pipeline<Clip> clip = make();
  const std::vector<std::string> texts{"a dog", "do", "dog dog dog dog dog dog dog dog dog dog dog dog dog"};
};

BOOST_FIXTURE_TEST_CASE(a_saved_dual_encoder_gives_the_same_embeddings, SavedClip) {
  const rc3::Embedder<Clip> before(clip), after(rc3::load<Clip>(saved()));
  BOOST_TEST(after.texts(texts).equal(before.texts(texts)));
  BOOST_TEST(after.images(drawings(3)).equal(before.images(drawings(3))));
  BOOST_TEST(after.pipeline().tokenizer.options().max_length == 12);
}

BOOST_FIXTURE_TEST_CASE(one_type_for_all_models, SavedClip) {
  const auto any = rc3::load_any_model<Siglip, Clip>(saved());
  BOOST_TEST(any.model->variant() == rc3::type_name<Clip>());
  const rc3::Embedder<AnyModel> embedder(any);
  const rc3::Embedder<Clip> typed(clip);
  BOOST_TEST(embedder.dimension() == 16);
  BOOST_TEST(embedder.texts(texts).equal(typed.texts(texts)));
  BOOST_TEST(embedder.images(drawings(3)).equal(typed.images(drawings(3))));
  // An index of one is an index of the other.
  BOOST_TEST(rc3::pipeline::identity_of(any) == rc3::pipeline::identity_of(clip));
  BOOST_TEST(rc3::pipeline::identity_of(rc3::any_pipeline(clip)) == rc3::pipeline::identity_of(clip));
  auto longer = clip;
  longer.tokenizer = clip.tokenizer.with({.max_length = 11});
  BOOST_TEST(rc3::pipeline::identity_of(rc3::any_pipeline(longer)) != rc3::pipeline::identity_of(clip));
}

BOOST_FIXTURE_TEST_CASE(a_changed_weight_changes_the_identity, SavedClip) {
  const auto any = rc3::load_any_model<Clip>(saved());
  const auto before = rc3::pipeline::identity_of(any);
  torch::NoGradGuard no_grad;
  any.model->parameters()[0].add_(1);
  BOOST_TEST(rc3::pipeline::identity_of(any) != before);
}

BOOST_FIXTURE_TEST_CASE(a_dual_encoder_cannot_rerank, SavedClip) {
  const rc3::Embedder<AnyModel> embedder(rc3::load_any_model<Clip>(saved()));
  BOOST_TEST(!embedder.pipeline().model->matches());
  const rc3::Tokens none;
  throws_with([&] { embedder.pipeline().model->fuse(none, none); }, "no image-text matching", "cannot re-rank");
  const AnyModel fuses(tiny_model());
  BOOST_TEST(fuses.matches());
}

BOOST_FIXTURE_TEST_CASE(a_directory_of_another_model_is_refused, SavedClip) {
  throws_with([&] { rc3::load_any_model<Siglip>(saved()); }, "saved", "ClipVision", "this program has", "SiglipVision",
              "\"siglip\"");
  rc3::io::write_file(path() / "config.json", R"({"model_type": "blip"})");
  throws_with([&] { rc3::load_any_model<Clip, Siglip>(path()); }, "a model of transformers, \"blip\"", "\"clip\"",
              "\"siglip\"");
  throws_with([&] { rc3::load_any_model<Clip>(path() / "none"); }, "no such directory");
}

BOOST_FIXTURE_TEST_CASE(sizes_that_fit_no_memory_are_an_error_of_the_directory, ClipFiles) {
  const nlohmann::json tower{{"hidden_size", 1'000'000},
                             {"num_hidden_layers", 1000},
                             {"num_attention_heads", 1000},
                             {"image_size", 224},
                             {"patch_size", 32},
                             {"intermediate_size", 1'000'000},
                             {"num_channels", 3},
                             {"hidden_act", "quick_gelu"},
                             {"layer_norm_eps", 1e-5},
                             {"vocab_size", 10'000'000},
                             {"max_position_embeddings", 8},
                             {"eos_token_id", 1}};
  const nlohmann::json config{{"model_type", "clip"}, {"vision_config", tower}, {"text_config", tower}};
  rc3::io::write_file(path() / "config.json", config.dump());
  rc3::io::safetensors::save(path() / "model.safetensors", {{"logit_scale", at::zeros({})}});
  const auto refused = [&](const auto& load) {
    throws_with(load, path().string(), "no model of this architecture can be made", "memory");
  };
  refused([&] { rc3::load<Clip>(path()); });
  refused([&] { rc3::visual::backbone::ClipVision::from_pretrained(path()); });  // a tower alone
  refused([&] { rc3::text::ClipText::from_pretrained(path()); });
}

BOOST_AUTO_TEST_SUITE_END()
