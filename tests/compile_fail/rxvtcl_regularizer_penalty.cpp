// expect: objective::RXvtcl<Regularizer>: penalty\(const regularizer::Pairs&\) const must return torch::Tensor
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/relevance/constant.hpp"

struct Regularizer {
  double penalty(const rc3::regularizer::Pairs&) const { return 0; }
};

template class rc3::objective::RXvtcl<Regularizer, rc3::relevance::Constant, rc3::objective::negatives::InBatch>;
