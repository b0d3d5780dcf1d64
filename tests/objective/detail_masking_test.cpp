#include "rc3/objective/detail/masking.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/objective/mlm.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_detail_masking)

using namespace rc3::test;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(words_are_masked_as_bert_masks_them) {
  rc3::Texts texts{at::randint(4, 1000, {200, 40}, at::kLong), at::ones({200, 40}, at::kBool), {}};
  texts.ids.select(1, 0).fill_(0);
  texts.mask.narrow(1, 30, 10).fill_(false);
  const MaskOptions o{.fraction = 0.15, .mask = 999, .vocabulary = 1000, .seed = 7};
  const auto masked = rc3::objective::detail::mask_texts("test", texts, o, 5);
  const auto before = texts.ids.flatten().index_select(0, masked.places),
             after = masked.texts.ids.flatten().index_select(0, masked.places);
  BOOST_TEST(masked.targets.equal(before));
  const double n = static_cast<double>(masked.targets.numel()), words = 200 * 29;
  at_most("share of the words, from 15 %", std::abs(n / words - 0.15), 0.015);
  const double holes = after.eq(999).sum().item<double>(), same = after.eq(before).sum().item<double>();
  at_most("share that becomes <mask>, from 80 %", std::abs(holes / n - 0.8), 0.04);
  at_most("share that stays, from 10 %", std::abs(same / n - 0.1), 0.03);
  BOOST_TEST(masked.places.remainder(40).ge(1).all().item<bool>());   // no <s>
  BOOST_TEST(masked.places.remainder(40).lt(30).all().item<bool>());  // no padding
  auto untouched = texts.ids.flatten().clone();
  BOOST_TEST(
      masked.texts.ids.flatten().index_fill(0, masked.places, 0).equal(untouched.index_fill(0, masked.places, 0)));

  BOOST_TEST(rc3::objective::detail::mask_texts("test", texts, o, 5).texts.ids.equal(masked.texts.ids));
  BOOST_TEST(!rc3::objective::detail::mask_texts("test", texts, o, 6).texts.ids.equal(masked.texts.ids));
  // A single word is masked in any case; nothing but special tokens has nothing to mask.
  const rc3::Texts one{at::tensor({0, 9, 2}, at::kLong).view({1, 3}), at::ones({1, 3}, at::kBool), {}};
  for (std::int64_t step = 0; step < 20; ++step)
    BOOST_TEST(rc3::objective::detail::mask_texts("test", one, o, step).targets.numel() == 1);
  const rc3::Texts none{at::tensor({0, 3, 2}, at::kLong).view({1, 3}), at::ones({1, 3}, at::kBool), {}};
  BOOST_TEST(rc3::objective::detail::mask_texts("test", none, o, 0).targets.numel() == 0);
}

BOOST_AUTO_TEST_CASE(special_tokens_are_a_list_and_other_words_come_alike) {
  const MaskOptions o{.fraction = 1, .replaced = 0, .mask = 8, .vocabulary = 12, .special = {0, 3, 6, 11}, .seed = 2};
  const auto all = at::arange(12).repeat({500, 1});
  const auto masked = rc3::objective::detail::mask_texts("test", {all, at::ones({500, 12}, at::kBool), {}}, o, 0);
  const auto columns = masked.texts.ids;
  for (const std::int64_t special : {0, 3, 6, 8, 11}) {
    BOOST_TEST(columns.select(1, special).eq(special).all().item<bool>());  // never masked
    BOOST_TEST((columns.eq(special).sum().item<std::int64_t>() == 500));    // never drawn
  }
  for (const std::int64_t word : {1, 2, 4, 5, 7, 9, 10}) {
    // Half stay; the other half becomes one of seven words, itself among them.
    const double stay = columns.select(1, word).eq(word).sum().item<double>() / 500;
    const double seen = columns.eq(word).sum().item<double>() / 500;
    BOOST_TEST(std::abs(stay - (0.5 + 0.5 / 7)) < 0.08);
    BOOST_TEST(std::abs(seen - 1) < 0.15);
  }
  throws_with([] { Mlm(8, {.mask = 20, .vocabulary = 20}); }, "objective::Mlm", "below vocabulary, which is 20");
  throws_with([] { Mlm(8, {.mask = 3, .vocabulary = 20, .special = {-1}}); }, "below vocabulary");
  throws_with([] { Mlm(8, {.mask = 3, .vocabulary = 4, .special = {0, 1, 2}}); }, "no word is left");
}

BOOST_AUTO_TEST_CASE(ids_may_lie_in_memory_as_they_like) {
  const auto rows = at::arange(4, 16, at::kLong).view({3, 4});
  const MaskOptions o{.fraction = 0.4, .mask = 99, .vocabulary = 100};
  const rc3::Texts turned{rows.t().contiguous().t(), at::ones({3, 4}, at::kBool), {}};
  const auto masked = rc3::objective::detail::mask_texts("test", turned, o, 0);
  BOOST_TEST(rows.flatten().index_select(0, masked.places).equal(masked.targets));
  throws_with(
      [&] {
        rc3::objective::detail::mask_texts("test", {rows.to(at::kInt), turned.mask, {}}, o, 0);
      },
      "ids", "Long");
  throws_with(
      [&] {
        rc3::objective::detail::mask_texts("test", {rows, at::ones({1, 1}, at::kBool), {}}, o, 0);
      },
      "mask", "B=3");
}

BOOST_AUTO_TEST_SUITE_END()
