#pragma once
/// The contrastive objectives and their parts, and R-XVtCL with relevance that the batch provides.

#include "objective/by_hand.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/negatives/in_batch.hpp"
#include "rc3/objective/negatives/same_image.hpp"
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/objective/xtcl.hpp"
#include "rc3/regularizer/regularizer.hpp"
#include "rc3/relevance/relevance.hpp"

namespace rc3::test::by_hand {

template <class Regularizer, class Negatives, class Relevance = relevance::Provided>
using Rx = objective::RXvtcl<Regularizer, Relevance, Negatives>;

}  // namespace rc3::test::by_hand
