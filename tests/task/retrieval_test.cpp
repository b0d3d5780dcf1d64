#include "rc3/task/retrieval.hpp"

#include <torch/torch.h>

#include <boost/test/unit_test.hpp>

#include "support/support.hpp"

BOOST_AUTO_TEST_SUITE(task_retrieval)

using rc3::test::throws_with;

at::Tensor longs(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

BOOST_AUTO_TEST_CASE(ranks_by_hand) {
  const auto scores = at::tensor({0.9f, 0.1f, 0.5f, 0.2f,   // the target, 2, is second
                                  0.0f, 0.3f, 0.2f, 0.1f,   // 1 is first
                                  0.4f, 0.3f, 0.2f, 0.1f})  // 3 is last
                          .view({3, 4});
  BOOST_TEST(rc3::task::ranks(scores, longs({2, 1, 3})).equal(longs({2, 1, 4})));
}

BOOST_AUTO_TEST_CASE(ties_count_against_the_query) {
  BOOST_TEST(rc3::task::ranks(at::zeros({2, 5}), longs({0, 4})).equal(longs({5, 5})));
  const auto scores = at::tensor({0.5f, 0.5f, 0.1f}).view({1, 3});
  BOOST_TEST(rc3::task::ranks(scores, longs({0})).item<std::int64_t>() == 2);
  BOOST_TEST(rc3::task::recall(rc3::task::ranks(scores, longs({0}))).at1 == 0.0);
}

BOOST_AUTO_TEST_CASE(recall_by_hand) {
  const auto recall = rc3::task::recall(longs({1, 1, 2, 5, 6, 10, 11, 100}));
  BOOST_TEST(recall.at1 == 2.0 / 8);
  BOOST_TEST(recall.at5 == 4.0 / 8);
  BOOST_TEST(recall.at10 == 6.0 / 8);
  throws_with([] { rc3::task::recall(at::zeros({0}, at::kLong)); }, "task::recall", "no queries");
}

BOOST_AUTO_TEST_CASE(chance_by_hand) {
  const auto many = rc3::task::chance(341), few = rc3::task::chance(7);
  BOOST_TEST(many.at1 == 1.0 / 341);
  BOOST_TEST(many.at5 == 5.0 / 341);
  BOOST_TEST(many.at10 == 10.0 / 341);
  BOOST_TEST(few.at1 == 1.0 / 7);
  BOOST_TEST(few.at10 == 1.0);
}

BOOST_AUTO_TEST_CASE(random_scores_reach_chance) {
  torch::manual_seed(1);
  const auto recall = rc3::task::recall(rc3::task::ranks(at::rand({4000, 50}), at::randint(50, {4000})));
  rc3::test::at_most("recall@10 of random scores, from chance", std::abs(recall.at10 - rc3::task::chance(50).at10),
                     0.025);
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const auto hole = at::tensor({0.1f, std::nanf(""), 0.3f}).view({1, 3});
  throws_with([&] { rc3::task::ranks(hole, longs({0})); }, "task::ranks", "not a number");
  throws_with([] { rc3::task::ranks(at::zeros({2, 3}), longs({0})); }, "task::ranks", "targets", "Q=2");
  throws_with([] { rc3::task::ranks(at::zeros({3}), longs({0})); }, "task::ranks", "scores");
}

BOOST_AUTO_TEST_SUITE_END()
