#include "rc3/visual/roi_from_crops.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

#include "rc3/visual/backbone/linear_patches.hpp"
#include "rc3/visual/both.hpp"
#include "rc3/visual/cache_frozen_features.hpp"
#include "rc3/visual/patch.hpp"
#include "rc3/visual/roi.hpp"
#include "rc3/visual/roi_from_backbone.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(visual_roi_from_crops)

using namespace rc3::test;
using rc3::visual::backbone::LinearPatches;
using Crops = rc3::visual::RoiFromCrops<LinearPatches>;
using Patch = rc3::visual::Patch<LinearPatches>;
using Both = rc3::visual::Both<Crops, Patch>;

struct Fixture {
  Fixture() {
    torch::manual_seed(4);
    backbone =
        std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 4});
    for (auto& p : backbone->parameters()) p.set_requires_grad(false);
    images.pixels = at::randint(0, 256, {2, 3, 16, 24}, at::kByte);
    images.boxes = at::tensor({2.f, 3.f, 14.f, 9.f, 0.f, 0.f, 24.f, 16.f, 5.f, 5.f, 9.f, 13.f, 0.f, 0.f, 0.f, 0.f})
                       .view({2, 2, 4});
    images.sizes = at::tensor({24.f, 16.f, 24.f, 16.f}).view({2, 2});
    images.region_mask = at::tensor({1, 1, 1, 0}, at::kByte).to(at::kBool).view({2, 2});
    crops = std::make_shared<Crops>(backbone, rc3::visual::RoiFromCropsOptions{.width = 8, .side = 12, .dropout = 0});
  }
  std::shared_ptr<LinearPatches> backbone;
  std::shared_ptr<Crops> crops;
  rc3::Images images;
};

/// One value of a crop, by hand: bilinear between pixel centres, the border's pixels beyond the border.
double sampled(const at::Tensor& image, std::int64_t channel, double x, double y) {
  const auto w = image.size(2), h = image.size(1);
  const auto inside = [](double at, std::int64_t n) { return std::clamp(at - 0.5, 0.0, static_cast<double>(n - 1)); };
  const double px = inside(x, w), py = inside(y, h);
  const auto x0 = static_cast<std::int64_t>(px), y0 = static_cast<std::int64_t>(py);
  const auto x1 = std::min(x0 + 1, w - 1), y1 = std::min(y0 + 1, h - 1);
  const auto at = [&](std::int64_t r, std::int64_t c) { return image[channel][r][c].item<double>(); };
  const double fx = px - static_cast<double>(x0), fy = py - static_cast<double>(y0);
  return (at(y0, x0) * (1 - fx) + at(y0, x1) * fx) * (1 - fy) + (at(y1, x0) * (1 - fx) + at(y1, x1) * fx) * fy;
}

BOOST_FIXTURE_TEST_CASE(crops_are_squares_around_boxes, Fixture) {
  constexpr std::int64_t side = 12;
  const auto cut =
      rc3::visual::crop_regions(images.pixels, images.boxes, images.sizes, images.region_mask.nonzero(), side, 0.25);
  BOOST_TEST((cut.sizes() == at::IntArrayRef{3, 3, side, side}));
  const struct {
    std::int64_t sample;
    double x, y, extent;
  } expected[] = {{0, 8, 6, 15}, {0, 12, 8, 30}, {1, 7, 9, 10}};
  double worst = 0;
  for (std::int64_t n = 0; n < 3; ++n)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t row = 0; row < side; ++row)
        for (std::int64_t column = 0; column < side; ++column) {
          const auto& e = expected[n];
          const auto where = [&](double centre, std::int64_t i) {
            return centre + e.extent * ((static_cast<double>(i) + 0.5) / side - 0.5);
          };
          worst = std::max(worst, std::abs(cut[n][c][row][column].item<double>() -
                                           sampled(images.pixels[e.sample], c, where(e.x, column), where(e.y, row))));
        }
  at_most("crops against loops, of 255", worst, 2e-3);
}

BOOST_FIXTURE_TEST_CASE(a_regions_summary_is_that_of_its_crop, Fixture) {
  const auto tokens = crops->encode(images);
  BOOST_TEST(crops->summary_width() == 10);
  BOOST_TEST((tokens.summaries.sizes() == at::IntArrayRef{2, 2, 10}));
  rc3::Images crop;
  crop.pixels =
      rc3::visual::crop_regions(images.pixels, images.boxes, images.sizes, images.region_mask.nonzero(), 12, 0.05);
  const auto map = backbone->features(crop).flatten(2);
  const auto expected = at::cat({map.mean(2), std::get<0>(map.max(2))}, 1);
  at_most("first region", max_difference(tokens.summaries[0][0], expected[0]), 1e-5);
  at_most("second region", max_difference(tokens.summaries[0][1], expected[1]), 1e-5);
  at_most("region of the second image", max_difference(tokens.summaries[1][0], expected[2]), 1e-5);
  BOOST_TEST(tokens.summaries[1][1].eq(0).all().item<bool>());
  BOOST_TEST(tokens.values[1][1].eq(0).all().item<bool>());
}

BOOST_FIXTURE_TEST_CASE(what_is_kept_gives_the_same_tokens, Fixture) {
  Both both(crops, std::make_shared<Patch>(
                       backbone, rc3::visual::PatchOptions{.width = 8, .grid = 2, .max_patches = 4, .dropout = 0}));
  both.eval();
  const auto before = both.encode(images);
  const auto kept = rc3::visual::cache_frozen_features(both, images);
  BOOST_TEST(kept.regions.defined());
  BOOST_TEST(kept.pixels.defined());  // this backbone has no frozen part that could be kept for patches
  auto wrong = kept;
  wrong.regions = kept.regions + 1;
  const auto after = both.encode(kept);
  at_most("tokens from kept regions, float16", max_difference(before.values, after.values), 5e-3);
  BOOST_TEST(max_difference(before.values, both.encode(wrong).values) > 1e-2);
  backbone->parameters()[0].set_requires_grad(true);
  BOOST_TEST(!rc3::visual::cache_frozen_features(both, images).regions.defined());  // what learns must be asked anew
}

BOOST_FIXTURE_TEST_CASE(dropped_regions_leave_no_summary, Fixture) {
  Both both(crops,
            std::make_shared<Patch>(backbone,
                                    rc3::visual::PatchOptions{.width = 8, .grid = 2, .max_patches = 4, .dropout = 0}),
            {.drop_regions = 0.5, .drop_patches = 0.5});
  both.train();
  const auto tokens = both.encode(images);
  for (std::int64_t i = 0; i < 2; ++i) {
    const bool regions = tokens.mask[i][0].item<bool>(), patches = tokens.mask[i][2].item<bool>();
    BOOST_TEST(regions != patches);
    BOOST_TEST(tokens.summaries[i].ne(0).any().item<bool>() == regions);
    BOOST_TEST(tokens.summary[i].ne(0).any().item<bool>() == patches);
  }
}

// Annotations of downstream tasks mostly name an image and say nothing of boxes.
BOOST_FIXTURE_TEST_CASE(images_without_boxes_are_their_patches, Fixture) {
  const auto patch = std::make_shared<Patch>(
      backbone, rc3::visual::PatchOptions{.width = 8, .grid = 2, .max_patches = 4, .dropout = 0});
  Both both(crops, patch);
  both.eval();
  auto masked = images;
  masked.region_mask = at::zeros({2, 2}, at::kBool);
  const auto expected = both.encode(masked);  // [2, 2 + P, D], the regions outside the mask
  rc3::Images plain;
  plain.pixels = images.pixels;
  auto empty = images;
  empty.boxes = at::zeros({2, 0, 4});
  empty.region_mask = at::zeros({2, 0}, at::kBool);
  for (const auto& without : {plain, empty, rc3::visual::cache_frozen_features(both, plain)}) {
    const auto tokens = both.encode(without);
    BOOST_TEST((tokens.mask.sizes() == at::IntArrayRef{2, 4}));
    BOOST_TEST(tokens.mask.all().item<bool>());
    at_most("patches without boxes", max_difference(tokens.values, expected.values.narrow(1, 2, 4)), 1e-6);
    at_most("summary without boxes", max_difference(tokens.summary, expected.summary), 1e-6);
    BOOST_TEST((tokens.summaries.sizes() == at::IntArrayRef{2, 0, 10}));
  }
  both.train();  // with modality dropout as well: patches are never dropped where there is nothing else
  for (int k = 0; k < 20; ++k) BOOST_TEST(both.encode(plain).mask.all().item<bool>());
  throws_with([&] { crops->region_features(plain); }, "visual::RoiFromCrops", "boxes", "missing");
}

BOOST_AUTO_TEST_CASE(every_region_policy_takes_images_without_boxes) {
  const auto backbone =
      std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{.channels = 5, .patch_size = 4});
  rc3::Images images;
  images.pixels = at::randint(0, 256, {2, 3, 16, 24}, at::kByte);
  rc3::visual::Roi roi({.features = 3, .width = 8});
  rc3::visual::RoiFromBackbone<LinearPatches> pooled(backbone, {.width = 8});
  for (const auto& tokens : {roi.encode(images), pooled.encode(images)}) {
    BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 0, 8}));
    BOOST_TEST((tokens.mask.sizes() == at::IntArrayRef{2, 0}));
  }
  // A shared backbone runs once, and both are given its map.
  rc3::visual::Both both(std::make_shared<rc3::visual::RoiFromBackbone<LinearPatches>>(
                             backbone, rc3::visual::RoiFromBackboneOptions{.width = 8}),
                         std::make_shared<Patch>(backbone, rc3::visual::PatchOptions{.width = 8}));
  BOOST_TEST((both.encode(images).mask.sizes() == at::IntArrayRef{2, 24}));
  // Regions without their boxes are a mistake, not an image without regions.
  images.regions = at::zeros({2, 1, 3});
  throws_with([&] { roi.encode(images); }, "visual::Roi", "boxes", "missing");
}

BOOST_FIXTURE_TEST_CASE(what_is_refused, Fixture) {
  auto wrong = images;
  wrong.regions = at::zeros({2, 2, 7});
  throws_with([&] { crops->encode(wrong); }, "visual::RoiFromCrops", "regions", "S=10");
  wrong = images;
  wrong.boxes = images.boxes.clone();
  wrong.boxes[0][0][2] = 30.0;
  throws_with([&] { crops->encode(wrong); }, "visual::RoiFromCrops", "sample 0, region 0");
  wrong = images;
  wrong.pixels = at::Tensor();
  throws_with([&] { crops->encode(wrong); }, "pixels");
  throws_with([&] { Crops(backbone, {.side = 0}); }, "side must be above 0");
}

BOOST_AUTO_TEST_SUITE_END()
