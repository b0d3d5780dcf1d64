#pragma once
/// Pretrained directories as transformers writes them: config.json, and weights under the names that it gives them.

#include "rc3/io/hf/config.hpp"
#include "rc3/io/hf/layout.hpp"
#include "rc3/io/hf/load.hpp"
