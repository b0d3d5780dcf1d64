// expect: objective::RXvtcl<Regularizer, Relevance>: score\(const Batch&\) must return torch::Tensor .B.
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/regularizer/ceiling.hpp"

struct Mute {};
rc3::objective::RXvtcl<rc3::regularizer::Ceiling, Mute, rc3::objective::negatives::InBatch> objective;
