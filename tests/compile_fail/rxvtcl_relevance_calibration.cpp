// expect: needs_calibration is true, so calibrate\(const Texts&, const Texts&\) and calibrated\(\) const, a bool, must exist
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/ceiling.hpp"

struct Uncalibrated {
  static constexpr bool needs_calibration = true;
  at::Tensor score(const rc3::Batch&);
  bool calibrated() const;
};
rc3::objective::RXvtcl<rc3::regularizer::Ceiling, Uncalibrated, rc3::objective::negatives::InBatch> objective;
