#pragma once
/// Data sets: what they are, where they come from, and how they are fed.

#include "rc3/data/concept.hpp"
#include "rc3/data/decode.hpp"
#include "rc3/data/problems.hpp"
#include "rc3/data/sample.hpp"
#include "rc3/data/shuffle.hpp"
#include "rc3/data/text_id.hpp"
#include "rc3/data/validate.hpp"
