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

at::Tensor bools(std::vector<std::int64_t> values, std::int64_t columns) {
  return longs(std::move(values)).to(at::kBool).view({-1, columns});
}

BOOST_AUTO_TEST_CASE(of_several_right_candidates_the_best_counts) {
  const auto scores = at::tensor({0.9f, 0.1f, 0.5f, 0.2f}).view({1, 4});
  const auto rank = [&](std::vector<std::int64_t> right) {
    return rc3::task::best_ranks(scores, bools(std::move(right), 4)).item<std::int64_t>();
  };
  BOOST_TEST(rank({0, 1, 1, 0}) == 2);  // the other right one is no rival
  BOOST_TEST(rank({0, 1, 0, 1}) == 3);
  BOOST_TEST(rank({1, 1, 1, 1}) == 1);
  BOOST_TEST(rc3::task::best_ranks(at::zeros({1, 3}), bools({0, 1, 0}, 3)).item<std::int64_t>() == 3);  // ties
  torch::manual_seed(2);
  const auto many = at::rand({20, 30}), targets = at::randint(30, {20});
  const auto right = at::zeros({20, 30}, at::kBool).scatter(1, targets.unsqueeze(1), true);
  BOOST_TEST(rc3::task::best_ranks(many, right).equal(rc3::task::ranks(many, targets)));
  throws_with([] { rc3::task::best_ranks(at::zeros({1, 2}), bools({0, 0}, 2)); }, "no right candidate");
}

BOOST_AUTO_TEST_CASE(chance_of_several_right_candidates) {
  const auto close = boost::test_tools::tolerance(1e-12);
  const auto one = rc3::task::chance(at::eye(7).to(at::kBool));
  BOOST_TEST(one.at1 == 1.0 / 7, close);
  BOOST_TEST(one.at5 == 5.0 / 7, close);
  BOOST_TEST(one.at10 == 1.0, close);
  // Two of six right: that five of six hold neither cannot be; one of six holds one of them in a third of all draws.
  const auto two = rc3::task::chance(bools({1, 0, 0, 1, 0, 0}, 6));
  BOOST_TEST(two.at1 == 1.0 / 3, close);
  BOOST_TEST(two.at5 == 1.0, close);
  // 1 - C(18, 5) / C(20, 5) = 1 - 8568 / 15504.
  auto right = at::zeros({1, 20}, at::kBool);
  right[0][3] = right[0][17] = true;
  BOOST_TEST(rc3::task::chance(right).at5 == 1 - 8568.0 / 15504, close);
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
