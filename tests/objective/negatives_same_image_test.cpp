#include "rc3/objective/negatives/same_image.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/contrastive.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_negatives_same_image)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(same_image_negatives_close_the_door_to_copying_the_image) {
  // A model that copies the image: z is the image and a hundredth of the text; the images are orthogonal.
  auto batch = fake_batch(4, 4);
  batch.relevance = at::ones({4}, at::kDouble);
  batch.images.regions = at::eye(4, at::kDouble).unsqueeze(1);
  const FakeModel copier{.visual_weight = 1, .text_weight = 0.01, .cross_weight = 0};
  const auto pull = [&](auto objective) {
    batch.a.hidden.mutable_grad() = at::Tensor();
    const auto loss = loss_of(objective, batch, copier);
    loss.backward();
    return std::pair(loss.template item<double>(), batch.a.hidden.grad().norm().template item<double>());
  };
  const auto [loss_without, pull_without] = pull(Rx<rc3::regularizer::None, negatives::InBatch>({.hidden_images = 0}));
  const auto [loss_with, pull_with] = pull(Rx<rc3::regularizer::None, negatives::SameImage>({.hidden_images = 0}));
  at_most("InBatch: the copier's loss", loss_without, 1e-4);
  at_least("SameImage: the copier's loss", loss_with, 0.6);
  at_most("InBatch: gradient through the text", pull_without, 1e-5);
  at_least("SameImage: gradient through the text, over that of InBatch", pull_with / pull_without, 1e3);

  // And where all images are equal, the text is what is left to learn from.
  batch.images.regions = at::ones({4, 1, 4}, at::kDouble);
  at_least("all images equal: gradient through the text",
           pull(Rx<rc3::regularizer::None, negatives::SameImage>({.hidden_images = 0})).second, 1e-4);
}

BOOST_AUTO_TEST_CASE(same_image_takes_only_true_negatives) {
  // Sample 3 shares a caption with all others: it has no mismatched text, the others have each other's.
  auto batch = fake_batch(4);
  batch.caption_a_ids = at::tensor({0, 1, 2, 3}, at::kLong);
  batch.caption_b_ids = at::tensor({3, 3, 3, 3}, at::kLong);
  FakeModel model;
  ForwardCache<FakeModel> forward(model, batch);
  BOOST_TEST(!negatives::SameImage().for_a(forward).per_row.ne(0).any().item<bool>());  // all four share text b

  batch = fake_batch(4);
  batch.image_ids[3] = 0;  // 0 and 3 are one image
  ForwardCache<FakeModel> other(model, batch);
  model.fused.clear();
  negatives::SameImage().for_a(other);
  const auto first = [](const at::Tensor& t, std::int64_t i) { return t[i][0][0].item<double>(); };
  const std::int64_t expected[] = {1, 2, 3, 1};  // behind 3 comes 0, its own image; then 1
  BOOST_REQUIRE(model.fused.size() == 4u);
  for (std::int64_t i = 0; i < 4; ++i) {
    BOOST_TEST(model.fused[static_cast<std::size_t>(i)].first == first(batch.images.regions, i));
    BOOST_TEST(model.fused[static_cast<std::size_t>(i)].second == first(batch.b.hidden, expected[i]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
