#include "rc3/relevance/by_alignment.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <optional>

#include "relevance/table.hpp"
#include "support/support.hpp"
#include "support/tensors.hpp"

BOOST_AUTO_TEST_SUITE(relevance_by_alignment)

using namespace rc3::test;
using rc3::Batch;
using rc3::relevance::ByAlignment;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

at::Tensor bools(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong).to(at::kBool); }

/// Strict, strict with another score, weak with a score, weak without: twice each, the last two of one image.
Batch mixed() {
  auto batch = batch_of({0, 1, 2, 3, 4, 5, 0, 7}, {8, 9, 10, 11, 12, 13, 2, 15});
  batch.strict = bools({1, 1, 0, 0, 1, 1, 0, 0});
  batch.relevance = at::tensor({unknown, 0.1, 0.25, unknown, 1.0, unknown, 0.0, unknown}, at::kDouble);
  batch.image_ids = at::tensor({0, 1, 2, 3, 4, 5, 6, 6}, at::kLong);
  return batch;
}

/// rho_ij as the header's words say it, of one pair at a time.
/// @param inner  what an inner encoder says of any two texts; nothing: the constant @p weak
double by_hand(const Batch& batch, std::int64_t i, std::int64_t j, double weak,
               const std::function<double(std::int64_t, std::int64_t)>& inner = nullptr) {
  if (i == j) {
    if (batch.strict.defined() && batch.strict[i].item<bool>()) return 1;
    const double known = batch.relevance.defined() ? batch.relevance[i].item<double>() : unknown;
    if (known == known) return known;
    return inner ? inner(i, i) : weak;
  }
  if (inner) return inner(i, j);
  if (batch.caption_a_ids.defined() &&
      batch.caption_a_ids[i].item<std::int64_t>() == batch.caption_b_ids[j].item<std::int64_t>())
    return 1;
  return batch.image_ids[i].item<std::int64_t>() == batch.image_ids[j].item<std::int64_t>() ? weak : 0;
}

template <class Policy>
void check(const char* name, Policy& policy, const Batch& batch, double weak,
           const std::function<double(std::int64_t, std::int64_t)>& inner = nullptr) {
  const auto n = batch.size();
  const auto score = vector_of(policy.score(batch));
  double worst = 0;
  for (std::int64_t i = 0; i < n; ++i)
    worst = std::max(worst, std::abs(score[static_cast<std::size_t>(i)] - by_hand(batch, i, i, weak, inner)));
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, n}, {1, 4}, {n - 1, n}}) {
    const auto rows = policy.score_rows(batch, begin, end);
    BOOST_TEST(rows.sizes() == at::IntArrayRef({end - begin, n}));
    BOOST_TEST(!rows.requires_grad());
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        worst =
            std::max(worst, std::abs(rows[i - begin][j].template item<double>() - by_hand(batch, i, j, weak, inner)));
  }
  at_most(name, worst, 1e-7);
}

BOOST_AUTO_TEST_CASE(strict_pairs_are_1_weak_ones_have_their_score_or_the_constant) {
  ByAlignment policy(0.4);
  check("strict, scored and other pairs against loops", policy, mixed(), 0.4);
  ByAlignment<> by_default;
  check("the default constant", by_default, mixed(), 0.3);
}

BOOST_AUTO_TEST_CASE(a_batch_without_scores_or_without_ids) {
  ByAlignment policy(0.4);
  auto batch = mixed();
  batch.relevance = at::Tensor();
  check("no score at all", policy, batch, 0.4);
  batch.caption_a_ids = batch.caption_b_ids = at::Tensor();
  check("no caption ids", policy, batch, 0.4);
  batch.strict = bools({1, 1, 1, 1, 1, 1, 1, 1});
  check("translations only", policy, batch, 0.4);
}

BOOST_AUTO_TEST_CASE(alignment_that_is_unknown_needs_scores) {
  auto batch = mixed();
  batch.strict = at::Tensor();
  ByAlignment policy(0.4);
  throws_with([&] { policy.score(batch); }, "relevance::ByAlignment", "4 of 8", "Batch::strict");
  batch.relevance = at::tensor({0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, at::kDouble);
  check("scores of all pairs", policy, batch, 0.4);
}

BOOST_AUTO_TEST_CASE(an_inner_encoder_judges_the_weak_pairs_without_a_score_and_all_rows) {
  const auto table = translations(8);
  const auto rows = matrix_of(table->rows_);
  ByAlignment<Encoder> policy{Encoder(table)};
  static_assert(rc3::relevance::NeedsCalibration<ByAlignment<Encoder>>);
  static_assert(rc3::relevance::Calibrates<ByAlignment<Encoder>> && !rc3::relevance::Calibrates<ByAlignment<>>);
  const auto batch = mixed();
  BOOST_TEST(!policy.calibrated());
  throws_with([&] { policy.score(batch); }, "relevance::Encoder", "not calibrated");
  policy.calibrate(texts({0, 1, 2, 3, 4, 5, 6, 7}), texts({8, 9, 10, 11, 12, 13, 14, 15}));
  BOOST_TEST(policy.calibrated());
  const double low = policy.inner().low(), high = policy.inner().high();
  const auto inner = [&](std::int64_t i, std::int64_t j) {
    const auto a = batch.a.ids[i][0].item<std::int64_t>(), b = batch.b.ids[j][0].item<std::int64_t>();
    const double c = cosine(rows[static_cast<std::size_t>(a)], rows[static_cast<std::size_t>(b)]);
    return std::clamp((c - low) / (high - low), 0.0, 1.0);
  };
  table->encoded = 0;
  policy.score(batch);
  BOOST_TEST(table->encoded == 4);  // the texts of two pairs, no others
  check("an inner encoder against cosines by hand", policy, batch, 0, inner);
}

BOOST_AUTO_TEST_CASE(the_state_is_that_of_the_inner_policy) {
  ByAlignment<Encoder> policy{Encoder(translations(4))}, other{Encoder(translations(4))};
  static_assert(rc3::Stateful<ByAlignment<Encoder>> && !rc3::Stateful<ByAlignment<>>);
  policy.calibrate(texts({0, 1, 2, 3}), texts({4, 5, 6, 7}));
  other.load_state_dict(policy.state_dict());
  BOOST_TEST(other.calibrated());
  BOOST_TEST(other.inner().high() == policy.inner().high());
}

/// A policy that has no rows and no state.
struct Half {
  at::Tensor score(const Batch& batch) { return at::full({batch.size()}, 0.5, at::kDouble).requires_grad_(); }
};

BOOST_AUTO_TEST_CASE(an_inner_policy_without_rows_says_nothing_of_other_pairs) {
  ByAlignment<Half> policy{Half{}};
  auto batch = mixed();
  const auto rows = policy.score_rows(batch, 0, 8);
  BOOST_TEST(!rows.requires_grad());
  BOOST_TEST(rows[3][3].item<double>() == 0.5);
  BOOST_TEST(rows[6][7].item<double>() == 0.0);  // one image: how much is not known
  BOOST_TEST(rows[2][6].item<double>() == 1.0);  // equal texts
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  throws_with([] { ByAlignment(1.5); }, "relevance::ByAlignment", "weak", "1.5");
  throws_with([] { ByAlignment(-0.1); }, "relevance::ByAlignment", "weak");
  ByAlignment<> policy;
  auto batch = mixed();
  batch.relevance[2] = 1.1;
  throws_with([&] { policy.score(batch); }, "relevance::ByAlignment", "[0, 1]");
  batch.relevance = at::zeros({3});
  throws_with([&] { policy.score(batch); }, "relevance::ByAlignment", "B=8");
  batch = mixed();
  batch.strict = at::ones({8}, at::kLong);
  throws_with([&] { policy.score(batch); }, "relevance::ByAlignment", "strict", "Bool");
}

BOOST_AUTO_TEST_SUITE_END()
