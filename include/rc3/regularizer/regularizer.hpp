#pragma once
/// How far textual relevance bounds the proximity of two visio-textual inputs.

#include "rc3/regularizer/ceiling.hpp"
#include "rc3/regularizer/concept.hpp"
#include "rc3/regularizer/none.hpp"
#include "rc3/regularizer/pairs.hpp"
