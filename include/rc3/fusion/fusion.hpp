#pragma once
/// Everything that joins picture and text.

#include "rc3/fusion/concept.hpp"
#include "rc3/fusion/single_stream.hpp"
