#include <boost/test/unit_test.hpp>

#include "rc3/fusion/late_interaction_fusion.hpp"
#include "rc3/fusion/single_stream.hpp"
#include "rc3/model/model.hpp"
#include "rc3/model/pretrainer.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/itm.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

namespace user {

/// Two regions and one patch of width 8, with summaries of 3 numbers, from Images::regions and Images::features.
struct Summarised : torch::nn::Module {
  rc3::Tokens encode(const rc3::Images& p) {
    const auto seen = at::cat({p.region_mask, p.patch_mask.unsqueeze(1)}, 1);
    return {at::ones({p.size(), 3, 8}) * seen.unsqueeze(2), seen, p.features * p.patch_mask.unsqueeze(1),
            p.regions * p.region_mask.unsqueeze(2)};
  }
  std::int64_t width() const { return 8; }
  std::int64_t summary_width() const { return 3; }
};

struct Words : torch::nn::Module {
  Words() { table = register_parameter("table", at::randn({9, 8})); }
  rc3::Tokens encode(const rc3::Texts& texts) {
    return {table.index_select(0, texts.ids.flatten()).view({texts.ids.size(0), -1, 8}) * texts.mask.unsqueeze(2),
            texts.mask};
  }
  at::Tensor pool(const rc3::Tokens& t) { return t.values.sum(1) / t.mask.sum(1, true); }
  std::int64_t width() const { return 8; }
  at::Tensor table;
};

}  // namespace user

BOOST_AUTO_TEST_SUITE(model_token_embeddings)

using namespace rc3::test;
using rc3::fusion::SingleStream;
using LateInteractionFusion = rc3::fusion::LateInteractionFusion<SingleStream>;
template <class Fusion>
using Model = rc3::Model<user::Summarised, user::Words, Fusion>;

std::shared_ptr<SingleStream> stream() {
  return std::make_shared<SingleStream>(rc3::fusion::SingleStreamOptions{8, 1, 2, 16, 0.1});
}

struct Fixture {
  Fixture() {
    torch::manual_seed(5);
    model = std::make_shared<Model<LateInteractionFusion>>(
        std::make_shared<user::Summarised>(), std::make_shared<user::Words>(),
        std::make_shared<LateInteractionFusion>(stream()), rc3::ModelOptions{.embedding = 6, .hidden = 16});
    model->eval();
    images.regions = at::randn({3, 2, 3});
    images.features = at::randn({3, 3});
    images.region_mask = at::tensor({1, 1, 1, 0, 0, 0}, at::kByte).to(at::kBool).view({3, 2});
    images.patch_mask = at::tensor({0, 1, 1}, at::kByte).to(at::kBool);
    texts = {at::arange(6, at::kLong).view({3, 2}), at::ones({3, 2}, at::kBool), {}};
    texts.mask[1][1] = false;
  }
  /// Where the model puts one summary, asked of an image that has no other.
  at::Tensor alone(const at::Tensor& summary) {
    rc3::Tokens tokens{at::ones({1, 3, 8}), at::zeros({1, 3}, at::kBool), summary.unsqueeze(0)};
    return model->image_embedding(tokens)[0];
  }
  std::shared_ptr<Model<LateInteractionFusion>> model;
  rc3::Images images;
  rc3::Texts texts;
};

BOOST_FIXTURE_TEST_CASE(an_images_vector_is_of_the_whole_and_of_its_regions, Fixture) {
  const auto p = model->image_embedding(model->visual(images));
  const auto r = [&](int i, int k) { return alone(images.regions[i][k]); };
  const auto w = [&](int i) { return alone(images.features[i]); };
  at_most("regions alone", max_difference(p[0], rc3::nn::l2_normalize(r(0, 0) + r(0, 1))), 1e-6);
  at_most("both", max_difference(p[1], rc3::nn::l2_normalize(w(1) + r(1, 0))), 1e-6);
  at_most("the whole alone", max_difference(p[2], w(2)), 1e-6);
}

BOOST_FIXTURE_TEST_CASE(tokens_know_where_they_lie, Fixture) {
  const auto v = model->visual(images);
  BOOST_TEST((v.embeddings.sizes() == at::IntArrayRef{3, 3, 6}));
  at_most("a region's vector", max_difference(v.embeddings[1][0], alone(images.regions[1][0])), 1e-6);
  BOOST_TEST(v.embeddings[1][1].eq(0).all().item<bool>());         // outside the mask
  BOOST_TEST(v.embeddings.select(1, 2).eq(0).all().item<bool>());  // patches have none
  const auto x = model->text(texts);
  rc3::Texts word{texts.ids.narrow(0, 0, 1).narrow(1, 1, 1), at::ones({1, 1}, at::kBool), {}};
  at_most("a word's vector is that of the word as a text",
          max_difference(x.embeddings[0][1], model->text_embedding(model->text(word))[0]), 1e-6);
  BOOST_TEST(x.embeddings[1][1].eq(0).all().item<bool>());
  BOOST_TEST(!v.embeddings.requires_grad());
  BOOST_TEST(!x.embeddings.requires_grad());
}

BOOST_FIXTURE_TEST_CASE(vectors_are_read_and_not_taught, Fixture) {
  model->train();
  // Of one number: the sum of what a LayerNorm gives has no gradient but rounding errors.
  model->fuse(model->visual(images), model->text(texts)).select(1, 0).sum().backward();
  for (const auto& p : model->named_parameters()) {
    if (p.key().starts_with("image_h") || p.key().starts_with("text_head"))
      BOOST_TEST(!p.value().grad().defined(), p.key());
    if (p.key().starts_with("fusion.text") || p.key().starts_with("fusion.log_scale"))
      BOOST_TEST((p.value().grad().defined() && p.value().grad().ne(0).any().item<bool>()), p.key());
  }
}

BOOST_AUTO_TEST_CASE(an_encoder_that_reads_no_vectors_costs_none) {
  Model<SingleStream> model(std::make_shared<user::Summarised>(), std::make_shared<user::Words>(), stream());
  rc3::Images images;
  images.regions = at::randn({1, 2, 3});
  images.features = at::randn({1, 3});
  images.region_mask = at::ones({1, 2}, at::kBool);
  images.patch_mask = at::ones({1}, at::kBool);
  BOOST_TEST(!model.visual(images).embeddings.defined());
}

/// Reads z or embeddings, and remembers whether the tokens had embeddings.
template <bool only>
struct Reader {
  static constexpr bool embeddings_only = only;
  at::Tensor loss(rc3::objective::ForwardCache<Model<LateInteractionFusion>>& forward) {
    computed = forward.text_a().embeddings.defined() && forward.visual().embeddings.defined();
    return forward.image_embeddings().sum();
  }
  bool computed = false;
};

BOOST_FIXTURE_TEST_CASE(a_stage_of_embeddings_alone_computes_no_token_embeddings, Fixture) {
  rc3::Batch batch{images, texts, texts};
  batch.image_ids = at::arange(3);
  batch.caption_a_ids = batch.caption_b_ids = at::arange(3);
  const auto heads = std::make_shared<Reader<true>>();
  const auto fuses = std::make_shared<Reader<false>>();
  rc3::Pretrainer<Model<LateInteractionFusion>, Reader<true>, Reader<false>> both(model, {1, 1}, heads, fuses);
  model->eval();
  const auto loss = both.losses(batch).parts[0];
  BOOST_TEST(heads->computed);
  both.set_weights({1, 0});
  BOOST_TEST(both.losses(batch).parts[0] == loss);
  BOOST_TEST(!heads->computed);
  both.set_weights({0, 1});
  both.losses(batch);
  BOOST_TEST(fuses->computed);
  // The default of an objective is to fuse.
  BOOST_TEST(
      (rc3::objective::embeddings_only<rc3::objective::Itc> && !rc3::objective::embeddings_only<rc3::objective::Itm>));
}

BOOST_AUTO_TEST_SUITE_END()
