#include "rc3/objective/false_negatives.hpp"

#include <boost/test/unit_test.hpp>

#include "objective/by_hand.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(objective_false_negatives)

using namespace rc3::test;
using namespace rc3::test::by_hand;
using namespace rc3::objective;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(true_negatives_by_hand) {
  const auto batch = tangled();
  const auto seen = true_negatives(batch);
  const auto expected = negatives_by_hand(batch);
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t j = 0; j < expected.size(); ++j)
      BOOST_TEST(seen[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<bool>() == expected[i][j]);
  BOOST_TEST(!seen[1][4].item<bool>());
  BOOST_TEST(!seen[5][2].item<bool>());
  BOOST_TEST(seen.equal(seen.t()));

  Batch bare;  // without ids all samples differ
  bare.a = batch.a;
  BOOST_TEST(true_negatives(bare).sum().item<std::int64_t>() == 7 * 6);
  auto wrong = tangled();
  wrong.caption_b_ids = at::arange(3);
  throws_with([&] { true_negatives(wrong); }, "caption_b_ids", "B=7");
}

BOOST_AUTO_TEST_SUITE_END()
