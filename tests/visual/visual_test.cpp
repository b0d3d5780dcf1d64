#include "rc3/visual/visual.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/io/safetensors.hpp"
#include "rc3/visual/cache_frozen_features.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(visual)

using namespace rc3::test;
using rc3::Images;
using rc3::visual::Location;
using rc3::visual::Patch;
using rc3::visual::Roi;
using rc3::visual::RoiFromBackbone;
using rc3::visual::backbone::Concat;
using rc3::visual::backbone::EfficientNetLite0;
using rc3::visual::backbone::EfficientNetLite1;
using rc3::visual::backbone::EfficientNetLite2;
using rc3::visual::backbone::LinearPatches;

at::Tensor floats(std::vector<double> values, at::IntArrayRef shape) {
  return at::tensor(values, at::kFloat).view(shape);
}

// ------------------------------------------------------------------------------ EfficientNet-Lite0

BOOST_AUTO_TEST_CASE(efficientnet_lite0_is_that_of_python) {
  if (!have("weights/efficientnet-lite0") || !have("baseline/baseline.safetensors")) return;
  const torch::NoGradGuard no_grad;
  const auto network = EfficientNetLite0::from_pretrained(cached("weights/efficientnet-lite0"));
  const rc3::io::safetensors::Reader truth(cached("baseline/baseline.safetensors"));
  const auto rgb = truth.read("image.rgb").permute({0, 3, 1, 2}).contiguous();
  Images images;
  images.pixels = rgb;
  const auto features = network->features(images);
  at_most("Lite0: features against Python", max_difference(features, truth.read("image.features")), 1e-4);
  // Python's own maps of values up to 50 differ by 2.3e-4 from those of float64, and by as much from folded norms.
  for (const auto& [name, block] : {std::pair("image.stride_8", 4), {"image.stride_16", 10}, {"image.stride_32", 15}}) {
    const auto expected = truth.read(name);
    at_most(rc3::join("Lite0: ", name, " against Python, of the largest value"),
            max_difference(network->after_block(rgb, block), expected) / expected.abs().max().item<double>(), 1e-5);
  }
  for (const std::int64_t frozen : {0, 5, 11, 16}) {
    network->freeze_blocks(frozen);
    Images kept;
    kept.features = network->lower(rgb);
    at_most(rc3::join("Lite0: ", frozen, " frozen blocks, then the rest"),
            max_difference(network->features(kept), features), 1e-6);
  }
}

template <class Network>
void compare_with_python(const std::string& size, const std::string& weights, std::int64_t multi_scale_channels) {
  if (!have(weights) || !have("baseline/baseline.safetensors")) return;
  const torch::NoGradGuard no_grad;
  const rc3::io::safetensors::Reader truth(cached("baseline/baseline.safetensors"));
  Images images;
  images.pixels = truth.read("image.rgb").permute({0, 3, 1, 2}).contiguous();
  const auto features = Network::from_pretrained(cached(weights))->features(images);
  at_most(size + ": features against Python",
          max_difference(features, truth.read("image." + rc3::join("lite", size.back()) + ".features")), 1e-4);
  const auto multi_scale = Network::from_pretrained(cached(weights), {.multi_scale = true});
  const auto map = multi_scale->features(images);
  BOOST_TEST(map.size(1) == multi_scale_channels);
  BOOST_TEST(map.size(1) == multi_scale->channels());
  at_most(size + ": the head's channels come first", max_difference(map.narrow(1, 0, 1280), features), 1e-6);
  at_most(size + ": then those before the head",
          max_difference(map.narrow(1, 1280, Network::width_before_head),
                         multi_scale->after_block(images.pixels, Network::blocks - 1)),
          1e-6);
}

BOOST_AUTO_TEST_CASE(efficientnet_lite1_and_2_are_those_of_python) {
  compare_with_python<EfficientNetLite1>("Lite1", "weights/efficientnet-lite1", 1824);
  compare_with_python<EfficientNetLite2>("Lite2", "weights/efficientnet-lite2", 1872);
  // Weights of another size are no weights of this one.
  if (have("weights/efficientnet-lite1"))
    throws_with([] { EfficientNetLite0::from_pretrained(cached("weights/efficientnet-lite1")); }, "efficientnet-lite1");
}

BOOST_AUTO_TEST_CASE(joined_backbones_are_their_maps_one_behind_the_other) {
  torch::manual_seed(3);
  const auto a = std::make_shared<EfficientNetLite0>();
  const auto b = std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{5, 32});
  Concat joined(a, b);
  Images images;
  images.pixels = at::randint(256, {2, 3, 64, 96}, at::kByte);
  const auto map = joined.features(images);
  BOOST_TEST(joined.channels() == 1285);
  BOOST_TEST((map.sizes() == at::IntArrayRef{2, 1285, 2, 3}));
  BOOST_TEST(map.narrow(1, 0, 1280).equal(a->features(images)));
  BOOST_TEST(map.narrow(1, 1280, 5).equal(b->features(images)));
  BOOST_TEST(joined.named_parameters()["1.projection.weight"].defined());

  // What a part that learns gives cannot be kept, so that pixels stay.
  const auto patch = std::make_shared<rc3::visual::Patch<Concat<EfficientNetLite0, LinearPatches>>>(
      std::make_shared<Concat<EfficientNetLite0, LinearPatches>>(a, b), rc3::visual::PatchOptions{.width = 8});
  BOOST_TEST(!joined.frozen());
  BOOST_TEST(rc3::visual::cache_frozen_features(*patch, images).pixels.defined());
  rc3::nn::freeze(*b);
  BOOST_TEST(joined.frozen());
  const auto kept = rc3::visual::cache_frozen_features(*patch, images);
  BOOST_TEST(!kept.pixels.defined());
  at_most("Concat: kept features, rounded to float16", max_difference(joined.features(kept), map),
          1e-3 * map.abs().max().item<double>());
}

BOOST_AUTO_TEST_CASE(joined_backbones_are_calibrated_each_by_its_channels) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  const auto a = std::make_shared<EfficientNetLite0>(), b = std::make_shared<EfficientNetLite0>(),
             alone = std::make_shared<EfficientNetLite0>();
  auto copies = alone->named_parameters();
  for (const auto& item : b->named_parameters()) copies[item.key()].copy_(item.value());
  Concat joined(a, b);
  Images images;
  images.pixels = at::randint(256, {4, 3, 64, 64}, at::kByte);
  alone->calibrate(alone->features(images));
  joined.calibrate(joined.features(images));
  BOOST_TEST(joined.features(images).narrow(1, 1280, 1280).equal(alone->features(images)));
  throws_with([&] { joined.calibrate(at::zeros({4, 3, 2, 2})); }, "Concat", "maps", "C=2560");
}

BOOST_AUTO_TEST_CASE(joined_backbones_of_different_strides_are_refused) {
  Concat joined(std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{4, 16}),
                std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{4, 32}));
  Images images;
  images.pixels = at::zeros({1, 3, 64, 96}, at::kByte);
  throws_with([&] { joined.features(images); }, "Concat", "part 1", "2 x 3", "4 x 6", "one stride");
}

BOOST_AUTO_TEST_CASE(efficientnet_freezes_what_it_says) {
  torch::manual_seed(1);
  EfficientNetLite0 network({.frozen_blocks = 14});
  network.train();
  Images images;
  images.pixels = at::randint(256, {2, 3, 64, 64}, at::kByte);
  const auto mean = network.named_buffers()["blocks.15.project.norm.running_mean"].clone();
  network.features(images).square().sum().backward();
  for (const auto& item : network.named_parameters()) {
    const auto& name = item.key();
    const bool upper = name.starts_with("blocks.14.") || name.starts_with("blocks.15.") || name.starts_with("head.");
    BOOST_TEST(item.value().grad().defined() == upper, name);
  }
  BOOST_TEST(network.named_buffers()["blocks.15.project.norm.running_mean"].equal(mean));  // in training as well
  throws_with([&] { network.freeze_blocks(17); }, "EfficientNetLite0", "0 to 16", "17");
  throws_with([] { EfficientNetLite0({.frozen_blocks = 12, .multi_scale = true}); }, "multi_scale", "12");
}

BOOST_AUTO_TEST_CASE(efficientnet_folds_its_norms_without_gradient) {
  torch::manual_seed(2);
  EfficientNetLite0 network({.frozen_blocks = 0});
  {
    const torch::NoGradGuard no_grad;
    for (auto& item : network.named_buffers()) {
      if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
      if (item.key().ends_with("running_var")) item.value().uniform_(0.2, 2);
    }
    for (auto& item : network.named_parameters())
      if (item.key().ends_with("norm.weight")) item.value().uniform_(0.5, 2);
  }
  Images images;
  images.pixels = at::randint(256, {2, 3, 64, 96}, at::kByte);
  const auto apart = network.features(images).detach();  // all but the stem with gradient
  const torch::NoGradGuard no_grad;
  const auto size = apart.abs().max().item<double>();
  at_most("folded norms: relative difference", max_difference(network.features(images), apart) / size, 1e-5);
  network.named_parameters()["blocks.3.expand.norm.weight"].mul_(3);  // seen by the next call
  BOOST_TEST(max_difference(network.features(images), apart) > 1e-3 * size);
}

BOOST_AUTO_TEST_CASE(efficientnet_multi_scale_adds_channels_of_the_same_place) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  EfficientNetLite0 network({.frozen_blocks = 11, .multi_scale = true});
  Images images;
  images.pixels = at::randint(256, {2, 3, 64, 96}, at::kByte);
  const auto map = network.features(images);
  BOOST_TEST((map.sizes() == at::IntArrayRef{2, 1824, 2, 3}));
  BOOST_TEST(max_difference(map.slice(1, 1280, 1600), network.after_block(images.pixels, 15)) <= 1e-6);
  const auto early = network.after_block(images.pixels, 10);  // [2, 112, 4, 6]
  const auto squares = early.view({2, 112, 2, 2, 3, 2});
  BOOST_TEST(max_difference(map.slice(1, 1600, 1712), squares.mean({3, 5})) <= 1e-6);
  BOOST_TEST(max_difference(map.slice(1, 1712, 1824), squares.amax({3, 5})) <= 1e-6);
}

BOOST_AUTO_TEST_CASE(efficientnet_calibration_standardises_each_channel) {
  // With the real weights: what a random network says hardly depends on the image.
  if (!have("weights/efficientnet-lite0") || !have("baseline/baseline.safetensors")) return;
  const torch::NoGradGuard no_grad;
  const auto network = EfficientNetLite0::from_pretrained(cached("weights/efficientnet-lite0"));
  Images images;
  images.pixels =
      rc3::io::safetensors::Reader(cached("baseline/baseline.safetensors")).read("image.rgb").permute({0, 3, 1, 2});
  for (int round = 0; round < 2; ++round) {  // the second time with other images, on top of what the first set
    images.pixels = images.pixels.slice(2, 32 * round).contiguous();
    const auto before = network->features(images);
    // A channel that ReLU6 holds at one value has no deviation to take out.
    const auto alive = (before.transpose(0, 1).flatten(1).std(1) > 0.05).nonzero().squeeze(1);
    at_least("calibrate: channels that differ", alive.numel(), 1000);
    network->calibrate(before);
    for (const std::int64_t frozen : {16, 11}) {
      network->freeze_blocks(frozen);
      const auto values = network->features(images).transpose(0, 1).flatten(1).index_select(0, alive);
      at_most("calibrate: largest mean of a channel", values.mean(1).abs().max().item<double>(), 1e-3);
      at_most("calibrate: largest deviation of a channel, from 1", (values.std(1) - 1).abs().max().item<double>(),
              1e-3);
    }
    network->freeze_blocks(16);
  }
  throws_with([&] { network->calibrate(at::zeros({4, 3, 2, 3})); }, "EfficientNetLite0", "maps", "C=1280");
}

BOOST_AUTO_TEST_CASE(pixels_of_another_size_are_refused) {
  EfficientNetLite0 network;
  LinearPatches linear({4, 16});
  Images images;
  throws_with([&] { network.features(images); }, "EfficientNetLite0", "pixels", "missing");
  images.pixels = at::zeros({1, 3, 64, 50}, at::kByte);
  throws_with([&] { network.features(images); }, "EfficientNetLite0", "50 x 64", "multiples of 32");
  throws_with([&] { linear.features(images); }, "LinearPatches", "50 x 64", "16");
  images.pixels = at::zeros({1, 64, 64, 3}, at::kByte);
  throws_with([&] { network.features(images); }, "EfficientNetLite0", "pixels", "[B, 3, H, W]", "[1, 64, 64, 3]");
  throws_with([&] { linear.features(images); }, "LinearPatches", "pixels", "[B, 3, H, W]");
}

BOOST_AUTO_TEST_CASE(linear_patches_are_a_linear_map_of_each_square) {
  torch::manual_seed(4);
  LinearPatches linear({5, 2});
  Images images;
  images.pixels = at::randint(256, {1, 3, 4, 6}, at::kByte);
  const auto map = linear.features(images);
  const auto p = linear.named_parameters();
  const auto square = images.pixels[0].slice(1, 2, 4).slice(2, 4, 6).to(at::kFloat) / 127.5 - 1;  // row 1, column 2
  const auto expected = p["projection.weight"].flatten(1).mv(square.flatten()) + p["projection.bias"];
  BOOST_TEST((map.sizes() == at::IntArrayRef{1, 5, 2, 3}));
  at_most("LinearPatches by hand", max_difference(map[0].select(1, 1).select(1, 2), expected), 1e-5);
}

// ------------------------------------------------------------------------------ RoIAlign

/// Mean of grid x grid bilinear samples, the border repeated; as plain C++.
double roi_align_by_hand(const Matrix& map, const Vector& box, double width, double height, int grid) {
  const auto h = static_cast<int>(map.size()), w = static_cast<int>(map[0].size());
  const auto value = [&](double x, double y) {
    x = std::clamp(x, 0.0, w - 1.0);
    y = std::clamp(y, 0.0, h - 1.0);
    const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
    const int x1 = std::min(x0 + 1, w - 1), y1 = std::min(y0 + 1, h - 1);
    const double fx = x - x0, fy = y - y0;
    const auto at = [&](int r, int c) { return map[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)]; };
    return (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
  };
  double sum = 0;
  for (int i = 0; i < grid; ++i)
    for (int j = 0; j < grid; ++j) {
      const double x = (box[0] + (box[2] - box[0]) * (j + 0.5) / grid) / width * w - 0.5;
      const double y = (box[1] + (box[3] - box[1]) * (i + 0.5) / grid) / height * h - 0.5;
      sum += value(x, y);
    }
  return sum / (grid * grid);
}

BOOST_AUTO_TEST_CASE(roi_align_against_loops) {
  torch::manual_seed(5);
  const auto map = at::randn({2, 3, 5, 7}, at::kDouble);
  const auto sizes = at::tensor({140.0, 90.0, 64.0, 48.0}, at::kDouble).view({2, 2});
  const auto corners = at::rand({2, 6, 2, 2}, at::kDouble);
  auto boxes = at::cat({corners.amin(2), corners.amax(2)}, 2) * at::cat({sizes, sizes}, 1).unsqueeze(1);
  boxes[0][0] = at::tensor({0.0, 0.0, 140.0, 90.0}, at::kDouble);  // the whole image
  boxes[1][0] = at::tensor({0.0, 0.0, 1.0, 1.0}, at::kDouble);     // in a corner
  double worst = 0;
  for (const int grid : {1, 2, 4, 7}) {
    const auto seen = rc3::visual::roi_align(map, boxes, sizes, grid);
    BOOST_REQUIRE((seen.sizes() == at::IntArrayRef{2, 6, 3}));
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t r = 0; r < 6; ++r)
        for (std::int64_t c = 0; c < 3; ++c)
          worst = std::max(worst,
                           std::abs(seen[b][r][c].item<double>() -
                                    roi_align_by_hand(matrix_of(map[b][c]), vector_of(boxes[b][r]),
                                                      sizes[b][0].item<double>(), sizes[b][1].item<double>(), grid)));
  }
  at_most("roi_align against loops", worst, 1e-12);
}

BOOST_AUTO_TEST_CASE(roi_align_on_a_ramp_gives_the_centre_of_the_box) {
  // The value of a place is the x (y) of its centre in pixels: so is the mean over a box its own centre.
  const auto x = ((at::arange(8, at::kDouble) + 0.5) * 10).expand({1, 1, 6, 8});
  const auto y = ((at::arange(6, at::kDouble) + 0.5) * 20).unsqueeze(1).expand({1, 1, 6, 8});
  const auto boxes = at::tensor({10.0, 20.0, 70.0, 100.0, 33.0, 44.0, 35.0, 47.0}, at::kDouble).view({1, 2, 4});
  const auto seen =
      rc3::visual::roi_align(at::cat({x, y}, 1), boxes, at::tensor({80.0, 120.0}, at::kDouble).view({1, 2}));
  const auto centres = at::tensor({40.0, 60.0, 34.0, 45.5}, at::kDouble).view({1, 2, 2});
  at_most("roi_align on a ramp", max_difference(seen, centres), 1e-12);
}

// ------------------------------------------------------------------------------ regions

BOOST_AUTO_TEST_CASE(location_encodings_by_hand) {
  const auto boxes = floats({10, 20, 60, 40}, {1, 1, 4}), sizes = floats({100, 50}, {1, 2});
  const auto five = rc3::visual::location_encoding(boxes, sizes, Location::five);
  const auto seven = rc3::visual::location_encoding(boxes, sizes, Location::seven);
  at_most("location of five numbers", max_difference(five, floats({0.1, 0.4, 0.6, 0.8, 0.2}, {1, 1, 5})), 1e-7);
  at_most("location of seven numbers", max_difference(seven, floats({0.1, 0.4, 0.6, 0.8, 0.5, 0.4, 0.2}, {1, 1, 7})),
          1e-7);
}

/// Two images of 32 x 16 pixels with three regions each; the second image has one region only.
Images two_images() {
  torch::manual_seed(6);
  Images images;
  images.pixels = at::randint(256, {2, 3, 16, 32}, at::kByte);
  images.regions = at::randn({2, 3, 5});
  images.boxes = floats({0, 0, 32, 16, 4, 4, 8, 8, 16, 2, 30, 15}, {1, 3, 4}).repeat({2, 1, 1});
  images.sizes = floats({32, 16}, {1, 2}).repeat({2, 1});
  images.region_mask = at::tensor({1, 1, 1, 1, 0, 0}, at::kLong).to(at::kBool).view({2, 3});
  return images;
}

std::shared_ptr<Roi> roi(Location location = Location::five) {
  torch::manual_seed(7);
  return std::make_shared<Roi>(rc3::visual::RegionEmbeddingOptions{5, 8, location, 0.1});
}

template <class Backbone>
std::shared_ptr<RoiFromBackbone<Backbone>> roi_from(std::shared_ptr<Backbone> backbone) {
  return std::make_shared<RoiFromBackbone<Backbone>>(std::move(backbone),
                                                     rc3::visual::RoiFromBackboneOptions{.width = 8});
}

std::shared_ptr<LinearPatches> linear_backbone() {
  torch::manual_seed(8);
  return std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{6, 8});
}

template <class Backbone>
std::shared_ptr<Patch<Backbone>> patch(std::shared_ptr<Backbone> backbone) {
  return std::make_shared<Patch<Backbone>>(std::move(backbone), rc3::visual::PatchOptions{.width = 8, .grid = 2});
}

BOOST_AUTO_TEST_CASE(roi_by_hand) {
  const auto images = two_images();
  for (const auto location : {Location::five, Location::seven}) {
    const auto policy = roi(location);
    policy->eval();
    const auto tokens = policy->encode(images);
    const auto p = policy->named_parameters();
    const auto where = rc3::visual::location_encoding(images.boxes, images.sizes, location);
    const auto sum = images.regions.matmul(p["embedding.feature.weight"].t()) + p["embedding.feature.bias"] +
                     where.matmul(p["embedding.location.weight"].t()) + p["embedding.location.bias"];
    const auto centered = sum - sum.mean(2, true);
    const auto expected = centered / (centered.square().mean(2, true) + 1e-5).sqrt();
    at_most("Roi by hand", max_difference(tokens.values, expected * images.region_mask.unsqueeze(2)), 1e-5);
    BOOST_TEST(tokens.mask.equal(images.region_mask));
    BOOST_TEST(tokens.values[1].slice(0, 1).equal(at::zeros({2, 8})));
  }
  auto all = images;
  all.region_mask = at::Tensor();
  BOOST_TEST(roi()->encode(all).mask.all().item<bool>());
}

BOOST_AUTO_TEST_CASE(boxes_that_are_refused) {
  const auto regions = roi();
  const auto pooled = roi_from(linear_backbone());
  for (const auto& box : {std::vector<double>{4, 4, 33, 8},
                          {4, 4, 8, 17},
                          {-1, 4, 8, 8},
                          {4, -1, 8, 8},
                          {8, 4, 8, 8},
                          {9, 4, 8, 8},
                          {4, 8, 8, 8},
                          {4, 4, std::nan(""), 8}}) {
    auto images = two_images();
    images.boxes[1][0] = floats(box, {4});
    const auto named = rc3::join("(", box[0], ", ", box[1], ", ", box[2], ", ", box[3], ")");
    throws_with([&] { regions->encode(images); }, "visual::Roi", "sample 1, region 0", named, "32 x 16");
    throws_with([&] { pooled->encode(images); }, "visual::RoiFromBackbone", "sample 1, region 0", named);
    // The same box outside the mask is nobody's business.
    images.boxes[1] = two_images().boxes[1];
    images.boxes[1][2] = floats(box, {4});
    BOOST_TEST(finite(regions->encode(images).values));
    BOOST_TEST(finite(pooled->encode(images).values));
  }
  auto images = two_images();
  images.boxes[0][0][2] = 32.0001f;  // a rounding step outside
  regions->encode(images);
  images = two_images();
  images.boxes = at::Tensor();
  throws_with([&] { regions->encode(images); }, "visual::Roi", "boxes", "missing");
  images = two_images();
  images.sizes = at::Tensor();
  throws_with([&] { regions->encode(images); }, "visual::Roi", "sizes", "missing");
  images = two_images();
  images.regions = at::zeros({2, 3, 4});
  throws_with([&] { regions->encode(images); }, "visual::Roi", "regions", "F=5");
}

BOOST_AUTO_TEST_CASE(what_lies_outside_the_mask_reaches_neither_tokens_nor_gradients) {
  // An image without regions: boxes and sizes zero, features not numbers.
  auto images = two_images();
  images.region_mask[1] = false;
  images.boxes[1] = 0;
  images.sizes[1] = 0;
  images.regions[1] = std::nan("");
  const auto check = [&](auto policy) {
    const auto tokens = policy->encode(images);
    BOOST_TEST(tokens.values[1].equal(at::zeros({3, 8})));
    tokens.values.square().sum().backward();
    for (const auto& item : policy->named_parameters())
      BOOST_TEST((!item.value().grad().defined() || finite(item.value().grad())), item.key());
  };
  check(roi());
  check(roi_from(linear_backbone()));
}

BOOST_AUTO_TEST_CASE(roi_from_backbone_pools_the_map) {
  const auto images = two_images();
  const auto backbone = linear_backbone();
  const auto policy = roi_from(backbone);
  policy->eval();
  const auto tokens = policy->encode(images);
  BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 3, 8}));
  BOOST_TEST(tokens.mask.equal(images.region_mask));
  BOOST_TEST(tokens.values[1].slice(0, 1).equal(at::zeros({2, 8})));
  auto other = images;  // what lies outside a box does not count: places are 8 pixels, the box ends in the first
  other.boxes = images.boxes.clone();
  other.boxes[0][1] = floats({0, 0, 3, 3}, {4});
  const auto before = policy->encode(other).values[0][1];
  other.pixels = images.pixels.clone();
  other.pixels.slice(3, 16) = 0;
  BOOST_TEST(max_difference(policy->encode(other).values[0][1], before) <= 1e-6);
  BOOST_TEST(max_difference(policy->encode(other).values[0][0], tokens.values[0][0]) > 1e-3);
}

// ------------------------------------------------------------------------------ patches

BOOST_AUTO_TEST_CASE(patches_row_by_row_with_a_mask_for_each_sample) {
  auto images = two_images();
  const auto policy = patch(linear_backbone());
  policy->eval();
  const auto tokens = policy->encode(images);
  BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 8, 8}));  // 16 x 32 pixels in squares of 8: 2 x 4 places
  BOOST_TEST(tokens.mask.all().item<bool>());
  auto other = images;
  other.pixels = images.pixels.clone();
  other.pixels.slice(2, 8, 16).slice(3, 8, 16).bitwise_xor_(0x7F);  // row 1, column 1
  const auto moved = (policy->encode(other).values - tokens.values).abs().amax({0, 2}) > 1e-4;
  BOOST_TEST(moved.nonzero().flatten().equal(at::tensor({1 * 4 + 1}, at::kLong)));
  images.patch_mask = at::tensor({0, 1}, at::kLong).to(at::kBool);
  const auto masked = policy->encode(images);
  BOOST_TEST(!masked.mask[0].any().item<bool>());
  BOOST_TEST(masked.values[0].equal(at::zeros({8, 8})));
  BOOST_TEST(masked.values[1].equal(tokens.values[1]));
  images.patch_mask = at::ones({3}, at::kBool);
  throws_with([&] { policy->encode(images); }, "visual::Patch", "patch_mask", "B=2");
}

/// Bicubic interpolation by Keys' kernel with a = -3/4, the border repeated, of one channel; as plain C++.
Matrix bicubic_by_hand(const Matrix& grid, std::int64_t h, std::int64_t w) {
  const auto side = static_cast<std::int64_t>(grid.size());
  const auto kernel = [](double x) {
    constexpr double a = -0.75;
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
  };
  Matrix out(static_cast<std::size_t>(h), Vector(static_cast<std::size_t>(w)));
  for (std::int64_t i = 0; i < h; ++i)
    for (std::int64_t j = 0; j < w; ++j) {
      const double y = (i + 0.5) * side / h - 0.5, x = (j + 0.5) * side / w - 0.5;
      for (std::int64_t r = -3; r < side + 3; ++r)
        for (std::int64_t c = -3; c < side + 3; ++c) {
          const auto row = static_cast<std::size_t>(std::clamp<std::int64_t>(r, 0, side - 1));
          const auto column = static_cast<std::size_t>(std::clamp<std::int64_t>(c, 0, side - 1));
          out[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] +=
              kernel(y - static_cast<double>(r)) * kernel(x - static_cast<double>(c)) * grid[row][column];
        }
    }
  return out;
}

BOOST_AUTO_TEST_CASE(positions_are_interpolated_to_another_grid) {
  torch::manual_seed(9);
  const auto backbone = std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{6, 8});
  Patch<LinearPatches> policy(backbone, {.width = 5, .grid = 4, .max_patches = 400, .dropout = 0});
  const torch::NoGradGuard no_grad;
  auto p = policy.named_parameters();
  p["feature.weight"].zero_();  // leaves LayerNorm(bias + position)
  p["position"].normal_();
  for (const auto& [h, w] : {std::pair<std::int64_t, std::int64_t>{4, 4}, {8, 8}, {7, 3}, {2, 6}}) {
    const auto tokens = policy.encode_map(at::zeros({1, 6, h, w}), {}).values.view({h, w, 5});
    auto expected = at::zeros({h, w, 5});
    for (std::int64_t d = 0; d < 5; ++d) {
      const auto channel = bicubic_by_hand(matrix_of(p["position"][0][d]), h, w);
      for (std::int64_t i = 0; i < h; ++i)
        for (std::int64_t j = 0; j < w; ++j)
          expected[i][j][d] = channel[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
    }
    at_most(rc3::join("positions on ", h, " x ", w, " against loops"),
            max_difference(tokens, at::layer_norm(expected + p["feature.bias"], {5})), 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(large_maps_are_averaged_down) {
  torch::manual_seed(10);
  Patch<LinearPatches> policy(linear_backbone(), {.width = 8, .grid = 2, .max_patches = 8, .dropout = 0});
  const auto map = at::randn({1, 6, 4, 6});  // 24 places: more than 8
  const auto means = map.view({1, 6, 2, 2, 2, 3}).mean({3, 5});
  BOOST_TEST((policy.encode_map(map, {}).values.sizes() == at::IntArrayRef{1, 4, 8}));
  at_most("a map averaged down", max_difference(policy.encode_map(map, {}).values, policy.encode_map(means, {}).values),
          1e-5);
  const auto odd = at::randn({2, 6, 5, 7});  // places that two of the grid's share
  at_most("a map of odd sides",
          max_difference(policy.encode_map(odd, {}).values,
                         policy.encode_map(at::adaptive_avg_pool2d(odd, {2, 2}), {}).values),
          1e-5);
  BOOST_TEST(policy.encode_map(at::zeros({1, 6, 2, 4}), {}).values.size(1) == 8);
  throws_with([&] { policy.encode_map(at::zeros({1, 5, 2, 2}), {}); }, "visual::Patch", "map", "C=6");
}

// ------------------------------------------------------------------------------ both

/// A backbone that counts how often it runs.
struct Counting : torch::nn::Module {
  Counting() { inner = register_module("inner", linear_backbone()); }
  at::Tensor features(const Images& images) {
    ++runs;
    return inner->features(images);
  }
  std::int64_t channels() const { return inner->channels(); }
  std::shared_ptr<LinearPatches> inner;
  int runs = 0;
};

template <class R, class P>
auto both(std::shared_ptr<R> r, std::shared_ptr<P> p, rc3::visual::BothOptions options = {}) {
  return std::make_shared<rc3::visual::Both<R, P>>(std::move(r), std::move(p), options);
}

BOOST_AUTO_TEST_CASE(both_joins_regions_and_patches) {
  const auto images = two_images();
  const auto r = roi();
  const auto p = patch(linear_backbone());
  const auto policy = both(r, p);
  policy->eval();
  const auto tokens = policy->encode(images);
  const auto modality = policy->named_parameters()["modality"];
  BOOST_TEST((tokens.values.sizes() == at::IntArrayRef{2, 3 + 8, 8}));
  const auto regions = (r->encode(images).values + modality[0]) * images.region_mask.unsqueeze(2);
  BOOST_TEST(max_difference(tokens.values.slice(1, 0, 3), regions) <= 1e-6);
  BOOST_TEST(max_difference(tokens.values.slice(1, 3), p->encode(images).values + modality[1]) <= 1e-6);
  BOOST_TEST(tokens.values[1].slice(0, 1, 3).equal(at::zeros({2, 8})));
  BOOST_TEST(tokens.mask.slice(1, 0, 3).equal(images.region_mask));
}

BOOST_AUTO_TEST_CASE(a_batch_may_mix_regions_only_patches_only_and_both) {
  auto images = two_images().select(at::tensor({0, 0, 0}, at::kLong));
  images.region_mask = at::tensor({1, 0, 1}, at::kLong).to(at::kBool).unsqueeze(1).expand({3, 3}).contiguous();
  images.patch_mask = at::tensor({0, 1, 1}, at::kLong).to(at::kBool);
  const auto policy = both(roi(), patch(linear_backbone()), {0.3, 0.3});
  for (int round = 0; round < 20; ++round) {  // modality dropout leaves alone who has only one
    const auto mask = policy->encode(images).mask;
    BOOST_TEST(mask[0].equal(at::arange(11) < 3));
    BOOST_TEST(mask[1].equal(at::arange(11) >= 3));
    BOOST_TEST(mask[2].any().item<bool>());
  }
  images.region_mask[0] = false;
  throws_with([&] { policy->encode(images); }, "visual::Both", "sample 0", "neither regions nor patches");
}

BOOST_AUTO_TEST_CASE(modality_dropout_has_its_rates_and_never_drops_both) {
  constexpr std::int64_t n = 20000;
  Images images;
  images.pixels = at::zeros({n, 3, 1, 1}, at::kByte);
  images.regions = at::zeros({n, 1, 2});
  images.boxes = floats({0, 0, 1, 1}, {1, 1, 4}).expand({n, 1, 4});
  images.sizes = at::ones({n, 2});
  const auto small = [] {
    return std::pair(std::make_shared<Roi>(rc3::visual::RegionEmbeddingOptions{2, 2}),
                     std::make_shared<Patch<LinearPatches>>(
                         std::make_shared<LinearPatches>(rc3::visual::backbone::LinearPatchesOptions{2, 1}),
                         rc3::visual::PatchOptions{2, 1}));
  };
  for (const auto& [regions, patches] : {std::pair(0.2, 0.3), {0.0, 0.4}, {0.6, 0.4}, {0.0, 0.0}}) {
    auto [r, p] = small();
    const auto policy = both(r, p, {regions, patches});
    torch::manual_seed(11);
    const auto mask = policy->encode(images).mask;
    const double no_regions = 1 - mask.select(1, 0).to(at::kDouble).mean().item<double>();
    const double no_patches = 1 - mask.select(1, 1).to(at::kDouble).mean().item<double>();
    BOOST_TEST(mask.any(1).all().item<bool>());
    const auto sigma = [](double rate) { return 4 * std::sqrt(rate * (1 - rate) / n) + 1e-12; };
    at_most(rc3::join("share without regions, from ", regions), std::abs(no_regions - regions), sigma(regions));
    at_most(rc3::join("share without patches, from ", patches), std::abs(no_patches - patches), sigma(patches));
    policy->eval();
    BOOST_TEST(policy->encode(images).mask.all().item<bool>());
  }
  auto [r, p] = small();
  throws_with([&, r = r, p = p] { both(r, p, {0.6, 0.5}); }, "visual::Both", "0.6", "0.5");
  throws_with([&, r = r, p = p] { both(r, p, {-0.1, 0.5}); }, "visual::Both", "-0.1");
}

BOOST_AUTO_TEST_CASE(a_shared_backbone_runs_once) {
  const auto images = two_images();
  const auto backbone = std::make_shared<Counting>();
  const auto r = roi_from(backbone);
  const auto p = patch(backbone);
  const auto policy = both(r, p);
  policy->eval();
  const auto tokens = policy->encode(images);
  BOOST_TEST(backbone->runs == 1);
  const auto modality = policy->named_parameters()["modality"];
  const auto regions = (r->encode(images).values + modality[0]) * images.region_mask.unsqueeze(2);
  BOOST_TEST(tokens.values.slice(1, 0, 3).equal(regions));
  BOOST_TEST(tokens.values.slice(1, 3).equal(p->encode(images).values + modality[1]));
  // Two backbones run once each.
  const auto second = std::make_shared<Counting>();
  backbone->runs = 0;
  both(roi_from(backbone), patch(second))->encode(images);
  BOOST_TEST(backbone->runs == 1);
  BOOST_TEST(second->runs == 1);
}

BOOST_AUTO_TEST_CASE(widths_must_agree) {
  const auto wide = std::make_shared<Patch<LinearPatches>>(linear_backbone(), rc3::visual::PatchOptions{.width = 9});
  throws_with([&] { both(roi(), wide); }, "visual::Both", "8", "9");
}

BOOST_AUTO_TEST_SUITE_END()
