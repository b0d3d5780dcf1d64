#pragma once
/// What a program has before it reads its configuration. Declared only: snippets are not linked.

#include <rc3/config/arguments.hpp>
#include <rc3/train/train.hpp>

#include <iostream>

namespace preamble::configuration {
using namespace rc3;
}  // namespace preamble::configuration
