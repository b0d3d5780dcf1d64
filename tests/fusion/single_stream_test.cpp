#include "rc3/fusion/single_stream.hpp"

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(fusion_single_stream)

using namespace rc3::test;
using rc3::Tokens;
using rc3::fusion::SingleStream;

struct Fixture {
  Fixture() {
    torch::manual_seed(2);
    fusion = std::make_shared<SingleStream>(rc3::fusion::SingleStreamOptions{8, 2, 2, 16, 0.1});
    fusion->eval();
    visual = {at::randn({3, 4, 8}), at::ones({3, 4}, at::kBool)};
    text = {at::randn({3, 5, 8}), at::ones({3, 5}, at::kBool)};
    visual.mask[1][0] = false;
    text.mask[1][4] = false;
    text.mask[2].slice(0, 2) = false;
  }
  std::shared_ptr<SingleStream> fusion;
  Tokens visual, text;
};

BOOST_FIXTURE_TEST_CASE(shape, Fixture) {
  BOOST_TEST((fusion->fuse(visual, text).sizes() == at::IntArrayRef{3, 8}));
  BOOST_TEST(fusion->width() == 8);
}

BOOST_FIXTURE_TEST_CASE(masked_tokens_do_not_count, Fixture) {
  const auto z = fusion->fuse(visual, text);
  const auto garbage = [](const Tokens& t) { return Tokens{t.values.masked_fill(~t.mask.unsqueeze(2), 1e3), t.mask}; };
  at_most("z with other values outside the mask", max_difference(z, fusion->fuse(garbage(visual), garbage(text))),
          1e-6);
  const auto longer = [](const Tokens& t) {
    return Tokens{at::cat({t.values, at::full({3, 3, 8}, 7.0)}, 1), at::cat({t.mask, at::zeros({3, 3}, at::kBool)}, 1)};
  };
  at_most("z with more padding", max_difference(z, fusion->fuse(longer(visual), longer(text))), 1e-6);
}

BOOST_FIXTURE_TEST_CASE(every_other_token_counts, Fixture) {
  const auto z = fusion->fuse(visual, text);
  for (Tokens* side : {&visual, &text})
    for (std::int64_t i = 0; i < side->values.size(1); ++i) {
      const auto before = side->values.clone();
      side->values.select(1, i) += 1;
      side->values.select(1, i).select(1, 0) -= 3;
      const auto moved = (fusion->fuse(visual, text) - z).abs().amax(1);
      BOOST_TEST((moved > 1e-4).equal(side->mask.select(1, i)));
      side->values = before;
    }
}

BOOST_FIXTURE_TEST_CASE(the_order_of_the_batch_does_not_count, Fixture) {
  const auto order = at::tensor({2, 0, 1}, at::kLong);
  const auto z = fusion->fuse(visual, text).index_select(0, order);
  at_most("z in another order", max_difference(z, fusion->fuse(visual.select(order), text.select(order))), 1e-6);
}

BOOST_FIXTURE_TEST_CASE(image_and_text_are_told_apart, Fixture) {
  const Tokens same{visual.values, visual.mask}, swapped{text.values, text.mask};
  BOOST_TEST(max_difference(fusion->fuse(same, swapped), fusion->fuse(swapped, same)) > 1e-4);
}

BOOST_FIXTURE_TEST_CASE(what_is_refused, Fixture) {
  const Tokens wide{at::zeros({3, 4, 9}), at::ones({3, 4}, at::kBool)},
      few{at::zeros({2, 5, 8}), at::ones({2, 5}, at::kBool)};
  throws_with([&] { fusion->fuse(wide, text); }, "fusion::SingleStream", "visual", "D=8", "[3, 4, 9]");
  throws_with([&] { fusion->fuse(visual, wide); }, "fusion::SingleStream", "text", "D=8");
  throws_with([&] { fusion->fuse(visual, few); }, "fusion::SingleStream", "text", "B=3");
  throws_with([] { SingleStream(rc3::fusion::SingleStreamOptions{8, 1, 3}); }, "width 8", "heads 3");
}

BOOST_AUTO_TEST_SUITE_END()
