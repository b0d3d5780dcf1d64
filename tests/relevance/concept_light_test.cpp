#include "rc3/relevance/concept.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(relevance_concept)

using namespace rc3::relevance;
using rc3::Batch;
using rc3::Texts;

struct Scores {
  at::Tensor score(const Batch&);
};
struct Rows : Scores {
  at::Tensor score_rows(const Batch&, std::int64_t, std::int64_t);
};
struct OfImages {
  at::Tensor score(const rc3::Images&);
};
struct Scaled : Scores {
  static constexpr bool needs_calibration = true;
  void calibrate(const Texts&, const Texts&);
  bool calibrated() const;
};
struct Unscaled : Scores {
  static constexpr bool needs_calibration = false;
};

BOOST_AUTO_TEST_CASE(what_is_optional_is_asked_for_by_name) {
  static_assert(Policy<Scores> && Policy<Rows> && !Policy<OfImages> && !Policy<int>);
  static_assert(ScoresRows<Rows> && !ScoresRows<Scores>);
  static_assert(NeedsCalibration<Scaled> && !NeedsCalibration<Scores> && !NeedsCalibration<Unscaled>);
  static_assert(Calibrates<Scaled> && !Calibrates<Scores>);
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
