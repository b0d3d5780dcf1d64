#pragma once
/// Regularizers: bounds on the proximity of two visio-textual inputs from the relevance of their texts.

#include "rc3/regularizer/ceiling.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/huber_to_target.hpp"
#include "rc3/regularizer/none.hpp"
#include "rc3/regularizer/pairs.hpp"
#include "rc3/regularizer/soft_target.hpp"
#include "rc3/regularizer/sum.hpp"
#include "rc3/regularizer/weight_schedule.hpp"
#include "rc3/regularizer/weighted.hpp"
