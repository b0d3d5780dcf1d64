#pragma once
/// What a program includes to open data sets by name.

#include <rc3/data/open.hpp>

namespace preamble::opening {
using namespace rc3;
}  // namespace preamble::opening
