#include "rc3/data/loader/collate.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

using namespace rc3;
using namespace rc3::data;
using test::throws_with;

namespace {

PreparedSample sample(std::int64_t id, std::size_t regions, bool image) {
  PreparedSample p;
  p.image_id = id;
  p.caption_a_id = 10 * id;
  p.caption_b_id = 10 * id + 1;
  p.strict = id % 2 == 0;
  p.relevance = 0.5f * static_cast<float>(id);
  p.a = {0, 5, 6, 2};
  p.b.assign(static_cast<std::size_t>(id) + 3, id);
  if (image) {
    p.width = 2;
    p.height = 1;
    for (int i = 0; i < 6; ++i) p.pixels.push_back(static_cast<std::uint8_t>(10 * id + i));
  }
  p.regions.width = 2;
  p.regions.height = 1;
  for (std::size_t r = 0; r < regions; ++r) {
    p.regions.boxes.push_back({0, 0, static_cast<float>(r + 1), 1});
    for (const float x : {1.0f, 2.0f, 3.0f}) p.regions.features.push_back(x + 10 * static_cast<float>(r));
  }
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(collate)

BOOST_AUTO_TEST_CASE(samples_become_rows) {
  const auto batch = CollateSamples(8)({sample(0, 2, true), sample(1, 0, true), sample(2, 1, false)});
  BOOST_TEST(batch.size() == 3);
  BOOST_TEST(batch.a.ids.sizes() == at::IntArrayRef({3, 8}));
  BOOST_TEST(batch.b.ids.sizes() == at::IntArrayRef({3, 8}));
  BOOST_TEST(batch.b.mask.sum(1).equal(at::tensor({3, 4, 5}, at::kLong)));
  BOOST_TEST(batch.strict.equal(at::tensor({1, 0, 1}, at::kLong).to(at::kBool)));
  BOOST_TEST(batch.relevance.equal(at::tensor({0.0f, 0.5f, 1.0f})));
  BOOST_TEST(batch.image_ids.equal(at::tensor({0, 1, 2}, at::kLong)));
  BOOST_TEST(batch.caption_a_ids.equal(at::tensor({0, 10, 20}, at::kLong)));
  BOOST_TEST(batch.caption_b_ids.equal(at::tensor({1, 11, 21}, at::kLong)));
  const auto& p = batch.images;
  BOOST_TEST(p.pixels.sizes() == at::IntArrayRef({3, 3, 1, 2}));
  BOOST_TEST(p.pixels[1].flatten().equal(at::tensor({10, 11, 12, 13, 14, 15}, at::kLong).to(at::kByte)));
  BOOST_TEST(p.patch_mask.equal(at::tensor({1, 1, 0}, at::kLong).to(at::kBool)));
  BOOST_TEST(p.region_mask.equal(at::tensor({1, 1, 0, 0, 1, 0}, at::kLong).to(at::kBool).view({3, 2})));
  BOOST_TEST(p.boxes[0][1].equal(at::tensor({0.0f, 0.0f, 2.0f, 1.0f})));
  BOOST_TEST(p.regions[0].equal(at::tensor({1.0f, 2.0f, 3.0f, 11.0f, 12.0f, 13.0f}).view({2, 3})));
  BOOST_TEST(p.regions[1].eq(0).all().item<bool>());
  BOOST_TEST(p.sizes[2].equal(at::tensor({2.0f, 1.0f})));
  BOOST_TEST(!p.region_classes.defined());
}

BOOST_AUTO_TEST_CASE(what_no_sample_has_is_undefined) {
  auto unknown = sample(1, 0, true);
  unknown.relevance = std::nullopt;
  const auto batch = CollateSamples()({sample(0, 0, true), unknown});
  BOOST_TEST(batch.relevance.isnan().equal(at::tensor({0, 1}, at::kLong).to(at::kBool)));  // unknown of one pair
  BOOST_TEST(batch.relevance[0].item<float>() == 0.0f);
  BOOST_TEST(!batch.images.boxes.defined());
  BOOST_TEST(!batch.images.regions.defined());
  BOOST_TEST(!batch.images.patch_mask.defined());
  BOOST_TEST(!CollateSamples()({sample(0, 1, false)}).images.pixels.defined());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_together) {
  auto large = sample(1, 0, true);
  large.width = 1, large.height = 2;
  throws_with([&] { CollateSamples()({sample(0, 0, true), large}); }, "images of 1 x 2 and of 2 x 1");
  auto fewer = sample(1, 1, true);
  fewer.regions.features.pop_back();
  throws_with([&] { CollateSamples()({sample(0, 1, true), fewer}); }, "numbers of features for 1 boxes");
  throws_with([&] { CollateSamples()({}); }, "no samples");
}

BOOST_AUTO_TEST_SUITE_END()
