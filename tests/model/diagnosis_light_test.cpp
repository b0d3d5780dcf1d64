#include "rc3/model/diagnosis.hpp"

#include <boost/test/unit_test.hpp>

#include "compile_fail/policies.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/relevance/concept.hpp"

// The positive twin of tests/compile_fail: the least that a user writes meets each concept, and whoever lacks one thing
// does not. All of it is known when this file compiles; the diagnosis is then silent.

namespace {

using namespace rc3;

static_assert(visual::Policy<user::Visual>);
static_assert(text::Policy<user::Text>);
static_assert(fusion::Policy<user::Fusion>);
static_assert(objective::Policy<user::Objective, user::Model>);

// A policy of one kind is none of another.
static_assert(!visual::Policy<user::Text> && !text::Policy<user::Visual> && !fusion::Policy<user::Text>);
static_assert(!visual::Policy<int> && !text::Policy<int> && !fusion::Policy<int> &&
              !objective::Policy<int, user::Model>);

struct NoChannels {
  at::Tensor features(const Images&);
};
static_assert(visual::backbone::Policy<user::Backbone> && !visual::backbone::Policy<NoChannels>);
static_assert(!visual::Policy<user::Backbone>);

struct Relevance {
  at::Tensor score(const Batch&);
};
struct RelevanceOfImages {
  at::Tensor score(const Images&);
};
static_assert(relevance::Policy<Relevance> && !relevance::Policy<RelevanceOfImages>);

struct Calibrated : Relevance {
  static constexpr bool needs_calibration = true;
  void calibrate(const Texts& a, const Texts& b);
  bool calibrated() const;
};
static_assert(!relevance::NeedsCalibration<Relevance> && !relevance::Calibrates<Relevance>);
static_assert(relevance::NeedsCalibration<Calibrated> && relevance::Calibrates<Calibrated>);

struct Regularizer {
  at::Tensor penalty(const regularizer::Pairs&) const;
};
struct ChangingRegularizer {
  at::Tensor penalty(const regularizer::Pairs&);  // not const: R-XVtCL would be no function of its batch
};
static_assert(regularizer::Policy<Regularizer> && !regularizer::Policy<ChangingRegularizer>);

// What is more than needed does no harm: const, static, noexcept, a default argument, further members.
struct GenerousVisual {
  Tokens encode(const Images&, bool train = false) const;
  std::int64_t width() const noexcept;
  void anything_else();
};
struct GenerousFusion {
  at::Tensor fuse(const Tokens&, const Tokens&) const;
  static std::int64_t width();
};
static_assert(visual::Policy<GenerousVisual> && fusion::Policy<GenerousFusion>);

/// An objective may be written for one model only.
struct ForOneModel {
  at::Tensor loss(objective::ForwardCache<user::Model>&);
};
static_assert(objective::Policy<ForOneModel, user::Model>);
static_assert(!objective::Policy<ForOneModel, Model<GenerousVisual, user::Text, GenerousFusion>>);

}  // namespace

// Explicit instantiation runs every sentence of the diagnosis: each holds.
template class rc3::Model<user::Visual, user::Text, user::Fusion>;
template class rc3::Model<GenerousVisual, user::Text, GenerousFusion>;
template class rc3::Pretrainer<user::Model, user::Objective>;
template struct rc3::visual::backbone::Diagnosis<user::Backbone>;
template class rc3::Pretrainer<user::Model, user::Objective, ForOneModel>;

BOOST_AUTO_TEST_CASE(minimal_policies_meet_the_concepts) {
  BOOST_TEST((text::Policy<user::Text>));  // the rest was checked at compile time
}
