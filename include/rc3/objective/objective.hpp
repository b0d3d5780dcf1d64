#pragma once
/// Training objectives.

#include "rc3/objective/concept.hpp"
#include "rc3/objective/forward_cache.hpp"
#include "rc3/objective/gather.hpp"
#include "rc3/objective/itc.hpp"
#include "rc3/objective/itm.hpp"
#include "rc3/objective/mclm.hpp"
#include "rc3/objective/mlm.hpp"
#include "rc3/objective/mrm.hpp"
#include "rc3/objective/negatives/queue.hpp"
#include "rc3/objective/r_xvtcl.hpp"
#include "rc3/objective/representations.hpp"
#include "rc3/objective/sigmoid_itc.hpp"
#include "rc3/objective/weighted.hpp"
#include "rc3/objective/xtcl.hpp"
