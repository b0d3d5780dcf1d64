#include "rc3/task/ablation.hpp"

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

using namespace rc3;
using task::ablate;
using task::Ablation;
using test::throws_with;

namespace {

/// Four images with two regions each; the second region of image 0 is padding.
Images images() {
  Images p;
  p.pixels = at::arange(4 * 3 * 2 * 2).view({4, 3, 2, 2}).to(at::kByte);
  p.boxes = at::tensor({0.f, 0.f, 1.f, 2.f, 1.f, 0.f, 2.f, 2.f}).view({1, 2, 4}).repeat({4, 1, 1});
  p.sizes = at::full({4, 2}, 2.0);
  p.region_mask = at::ones({4, 2}, at::kBool);
  p.region_mask[0][1] = false;
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_look)

BOOST_AUTO_TEST_CASE(one_kind_of_feature_is_left) {
  const auto regions = ablate(images(), Ablation::regions_only);
  BOOST_TEST(!regions.patch_mask.any().item<bool>());
  BOOST_TEST(regions.region_mask.equal(images().region_mask));
  const auto patches = ablate(images(), Ablation::patches_only);
  BOOST_TEST(!patches.region_mask.any().item<bool>());
  BOOST_TEST(!patches.patch_mask.defined());
  const auto all = ablate(images(), Ablation::none);
  BOOST_TEST(all.pixels.equal(images().pixels));
}

BOOST_AUTO_TEST_CASE(shuffled_images_are_those_of_others) {
  const auto p = ablate(images(), Ablation::shuffled);
  for (std::int64_t i = 0; i < 4; ++i) {
    BOOST_TEST(p.pixels[i].equal(images().pixels[(i + 2) % 4]));
    BOOST_TEST(p.region_mask[i].equal(images().region_mask[(i + 2) % 4]));
  }
  throws_with([] { ablate(images().select(at::zeros({1}, at::kLong)), Ablation::shuffled); }, "no other image");
}

BOOST_AUTO_TEST_CASE(blank_images_say_nothing) {
  auto seen = images();
  seen.features = at::randn({4, 2, 1, 1});
  const auto p = ablate(seen, Ablation::blank);
  for (std::int64_t i = 1; i < 4; ++i)  // not even how many regions there were
    for (const auto& t : {p.pixels, p.features, p.boxes, p.region_mask}) BOOST_TEST(t[i].equal(t[0]));
  BOOST_TEST(p.boxes[3][0].equal(at::tensor({0.f, 0.f, 2.f, 2.f})));
  BOOST_TEST(p.region_mask.sum().item<std::int64_t>() == 4);
  BOOST_TEST(seen.features.abs().max().item<float>() > 0);  // the caller's stay
}

BOOST_AUTO_TEST_CASE(what_is_not_there_cannot_be_looked_at_alone) {
  auto p = images();
  p.boxes = at::Tensor();
  throws_with([&] { ablate(p, Ablation::regions_only); }, "no regions");
  p = images();
  p.pixels = at::Tensor();
  throws_with([&] { ablate(p, Ablation::patches_only); }, "no patches");
}

BOOST_AUTO_TEST_SUITE_END()
