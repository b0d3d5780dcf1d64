#pragma once
/// What an image decoder includes.

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

#include "rc3/core/error.hpp"
#include "rc3/io/image.hpp"

namespace preamble::decoder {}
