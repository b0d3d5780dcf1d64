#include "rc3/regularizer/pairs.hpp"

#include <boost/test/unit_test.hpp>

#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/relevance/by_alignment.hpp"
#include "support/fake_model.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(regularizer_pairs)

using namespace rc3::test;
using rc3::regularizer::Pairs;

/// Regularizers that only look at what they are given.
struct Seen {
  at::Tensor penalty(const Pairs& pairs) const {
    *seen = pairs;
    return pairs.similarity.sum() * 0;
  }
  std::shared_ptr<Pairs> seen = std::make_shared<Pairs>();
};
struct SeenRows : Seen {
  static constexpr bool uses_rows = true;
};

template <class Regularizer>
Pairs given(const rc3::Batch& batch) {
  const Regularizer regularizer;
  rc3::objective::RXvtcl<Regularizer, rc3::relevance::ByAlignment<>, rc3::objective::negatives::InBatch> objective(
      {.tau = 0.2, .hidden_images = 0}, regularizer);
  objective.to(at::kDouble);
  FakeModel model;
  rc3::objective::ForwardCache<FakeModel> forward(model, batch);
  objective.loss(forward);
  return *regularizer.seen;
}

BOOST_AUTO_TEST_CASE(what_r_xvtcl_gives_a_regularizer) {
  auto batch = fake_batch(4);
  batch.strict = at::tensor({1, 0, 0, 1}, at::kLong).to(at::kBool);
  FakeModel model;
  rc3::objective::ForwardCache<FakeModel> forward(model, batch);
  const auto a = rc3::nn::l2_normalize(forward.z_a()), b = rc3::nn::l2_normalize(forward.z_b());
  const auto rho = at::tensor({1.0, 0.3, 0.3, 1.0}, at::kDouble);

  const auto pairs = given<Seen>(batch);
  at_most("similarity", max_difference(pairs.similarity, (a * b).sum(1)), 1e-15);
  BOOST_TEST(pairs.similarity.requires_grad());
  at_most("relevance", max_difference(pairs.relevance, rho), 1e-7);
  BOOST_TEST((!pairs.logits.defined() && !pairs.relevances.defined()));  // nobody asked

  const auto rows = given<SeenRows>(batch);
  at_most("logits", max_difference(rows.logits, a.matmul(b.t()) / 0.2), 1e-6);  // tau is a float32 number
  at_most("relevances", max_difference(rows.relevances, rho.diag()), 1e-7);
}

BOOST_AUTO_TEST_SUITE_END()
