// expect: this regularizer looks at rows, so score_rows\(const Batch&, begin, end\) must return torch::Tensor
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/soft_target.hpp"
#include "rc3/relevance/provided.hpp"

rc3::objective::RXvtcl<rc3::regularizer::SoftTarget, rc3::relevance::Provided, rc3::objective::negatives::InBatch> objective;
