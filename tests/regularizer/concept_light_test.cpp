#include "rc3/regularizer/concept.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(regularizer_concept)

using namespace rc3::regularizer;

struct Plain {
  at::Tensor penalty(const rc3::regularizer::Pairs&) const;
};
struct OfRows : Plain {
  static constexpr bool uses_rows = true;
};
struct NotOfRows : Plain {
  static constexpr bool uses_rows = false;
};
struct Weighing : Plain {
  at::Tensor weights(const at::Tensor&) const;
};
struct Changing {
  at::Tensor penalty(const rc3::regularizer::Pairs&);
};

BOOST_AUTO_TEST_CASE(what_is_optional_is_asked_for_by_name) {
  static_assert(Policy<Plain> && !Policy<Changing> && !Policy<int>);
  static_assert(!uses_rows<Plain> && uses_rows<OfRows> && !uses_rows<NotOfRows>);
  static_assert(Weighs<Weighing> && !Weighs<Plain>);
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
