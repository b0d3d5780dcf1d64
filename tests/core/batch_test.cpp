#include "rc3/core/batch.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(core_batch)

BOOST_AUTO_TEST_CASE(select_takes_rows_of_what_is_there) {
  rc3::Images images;
  images.boxes = at::arange(24).view({3, 2, 4});
  images.patch_mask = at::arange(3) > 0;
  BOOST_TEST(images.size() == 3);
  const auto some = images.select(at::tensor({2, 0}, at::kLong));
  BOOST_TEST(some.size() == 2);
  BOOST_TEST(some.boxes.equal(at::stack({images.boxes[2], images.boxes[0]})));
  BOOST_TEST(some.patch_mask.equal(at::tensor({1, 0}, at::kLong).to(at::kBool)));
  BOOST_TEST(!some.pixels.defined());
}

BOOST_AUTO_TEST_CASE(tokens_without_those_of_some_rows) {
  rc3::Tokens tokens;
  tokens.values = at::ones({2, 3, 4});
  tokens.mask = at::tensor({1, 1, 0, 1, 1, 1}).to(at::kBool).view({2, 3});
  tokens.summary = at::ones({2, 5});
  tokens.embeddings = at::ones({2, 3, 6});
  const auto some = tokens.without(at::tensor({0, 1}).to(at::kBool));
  for (const auto& [whole, part] : {std::pair{tokens.values, some.values},
                                    {tokens.mask, some.mask},
                                    {tokens.summary, some.summary},
                                    {tokens.embeddings, some.embeddings}}) {
    BOOST_TEST(part.scalar_type() == whole.scalar_type());
    BOOST_TEST(part[0].equal(whole[0]));
    BOOST_TEST(!part[1].any().item<bool>());
  }
  BOOST_TEST(!some.summaries.defined());
}

BOOST_AUTO_TEST_CASE(an_empty_batch_has_size_0) {
  BOOST_TEST(rc3::Images{}.size() == 0);
  BOOST_TEST(rc3::Texts{}.size() == 0);
  BOOST_TEST(rc3::Batch{}.size() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
