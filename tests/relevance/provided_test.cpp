#include "rc3/relevance/provided.hpp"

#include <boost/test/unit_test.hpp>

#include "relevance/table.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(relevance_provided)

using namespace rc3::test;
using rc3::Batch;

BOOST_AUTO_TEST_CASE(what_the_batch_says) {
  rc3::relevance::Provided provided;
  auto batch = batch_of({0, 1}, {2, 3});
  throws_with([&] { provided.score(batch); }, "relevance::Provided", "relevance", "missing");
  batch.relevance = at::tensor({0.0f, 1.0f}).requires_grad_();
  const auto score = provided.score(batch);
  BOOST_TEST(score.equal(at::tensor({0.0f, 1.0f})));
  BOOST_TEST(!score.requires_grad());
  batch.relevance = at::tensor({0.5f, 1.1f});
  throws_with([&] { provided.score(batch); }, "relevance::Provided", "[0, 1]");
  batch.relevance = at::tensor({0.5f, std::nanf("")});
  throws_with([&] { provided.score(batch); }, "relevance::Provided", "1 of 2", "unknown", "ByAlignment");
  batch.relevance = at::tensor({0.5f});
  throws_with([&] { provided.score(batch); }, "relevance", "B=2");
  batch.relevance = at::tensor({0, 1}, at::kLong);
  throws_with([&] { provided.score(batch); }, "floating");
}

BOOST_AUTO_TEST_SUITE_END()
