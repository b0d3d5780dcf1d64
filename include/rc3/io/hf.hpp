#pragma once
/// Pretrained directories of transformers: config.json, and weights under transformers' names.

#include "rc3/io/hf/config.hpp"
#include "rc3/io/hf/image_processor.hpp"
#include "rc3/io/hf/layout.hpp"
#include "rc3/io/hf/load.hpp"
