#pragma once
/// All of rc3/fusion.

#include "rc3/fusion/concept.hpp"
#include "rc3/fusion/decoder.hpp"
#include "rc3/fusion/generate.hpp"
#include "rc3/fusion/late_interaction_fusion.hpp"
#include "rc3/fusion/single_stream.hpp"
