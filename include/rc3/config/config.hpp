#pragma once
/// Options from and to files. LibTorch-free. For the command line: rc3/config/arguments.hpp, with CLI11.

#include "rc3/config/activation.hpp"
#include "rc3/config/bounds.hpp"
#include "rc3/config/fields.hpp"
#include "rc3/config/json.hpp"
#include "rc3/config/provenance.hpp"
#include "rc3/config/value.hpp"
