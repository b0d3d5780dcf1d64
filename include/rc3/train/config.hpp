#pragma once
/// Options from and to files. LibTorch-free. For the command line: rc3/train/config/arguments.hpp, with CLI11.

#include "rc3/train/config/bounds.hpp"
#include "rc3/train/config/fields.hpp"
#include "rc3/train/config/json.hpp"
#include "rc3/train/config/provenance.hpp"
#include "rc3/train/config/value.hpp"
