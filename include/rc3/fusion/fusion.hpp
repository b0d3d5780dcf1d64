#pragma once
/// Everything that joins picture and text.

#include "rc3/fusion/concept.hpp"
#include "rc3/fusion/decoder.hpp"
#include "rc3/fusion/generate.hpp"
#include "rc3/fusion/grounded.hpp"
#include "rc3/fusion/single_stream.hpp"
