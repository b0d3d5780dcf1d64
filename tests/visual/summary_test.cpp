#include <boost/test/unit_test.hpp>

#include "rc3/visual/backbone/linear_patches.hpp"
#include "rc3/visual/patch.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(visual_summary)

using namespace rc3::test;
using rc3::visual::backbone::LinearPatches;
using PatchTokens = rc3::visual::Patch<LinearPatches>;

BOOST_AUTO_TEST_CASE(is_mean_and_maximum_of_the_whole_map) {
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  const auto backbone =
      std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 4});
  PatchTokens patch(backbone, {.width = 8, .grid = 2, .max_patches = 4, .dropout = 0.0});
  rc3::Images images;
  images.pixels = at::randint(0, 256, {3, 3, 12, 8}, at::kByte);
  images.patch_mask = at::tensor({1, 0, 1}, at::kByte).to(at::kBool);

  const auto tokens = patch.encode(images);
  const auto map =
      backbone->features(images).flatten(2);  // 3 x 2 places, more than `most`: the summary sees all of them
  BOOST_TEST(patch.summary_width() == 10);
  BOOST_TEST(tokens.values.size(1) == 4);
  const auto expected = at::cat({map.mean(2), std::get<0>(map.max(2))}, 1);
  at_most("summary against mean and maximum", max_difference(tokens.summary[0], expected[0]), 1e-6);
  BOOST_TEST(tokens.summary[1].eq(0).all().item<bool>());
  at_most("summary of the last", max_difference(tokens.summary[2], expected[2]), 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
