#pragma once
/// Pretrained directories of transformers and open_clip: a configuration, and weights under their names.

#include "rc3/io/hf/config.hpp"
#include "rc3/io/hf/image_processor.hpp"
#include "rc3/io/hf/layout.hpp"
#include "rc3/io/hf/load.hpp"
#include "rc3/io/hf/made.hpp"
#include "rc3/io/hf/open_clip.hpp"
#include "rc3/io/hf/open_clip_config.hpp"
