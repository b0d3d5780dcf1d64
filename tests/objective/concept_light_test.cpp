#include "rc3/objective/concept.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(objective_concept)

struct OneModel;
struct AnotherModel;

struct ForAny {
  template <class Model>
  at::Tensor loss(rc3::objective::ForwardCache<Model>&);
};
struct ForOne {
  at::Tensor loss(rc3::objective::ForwardCache<OneModel>&);
};
struct ReturnsANumber {
  template <class Model>
  double loss(rc3::objective::ForwardCache<Model>&);
};

BOOST_AUTO_TEST_CASE(an_objective_gives_a_tensor_for_its_model) {
  static_assert(rc3::objective::Policy<ForAny, OneModel> && rc3::objective::Policy<ForAny, AnotherModel>);
  static_assert(rc3::objective::Policy<ForOne, OneModel> && !rc3::objective::Policy<ForOne, AnotherModel>);
  static_assert(!rc3::objective::Policy<ReturnsANumber, OneModel> && !rc3::objective::Policy<int, OneModel>);
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
