#pragma once
/// All of rc3/visual: concepts, policies and backbones.

#include "rc3/preprocess/fit.hpp"
#include "rc3/preprocess/options.hpp"
#include "rc3/preprocess/preprocess.hpp"
#include "rc3/visual/backbone/clip_vision.hpp"
#include "rc3/visual/backbone/concat.hpp"
#include "rc3/visual/backbone/efficientnet_lite.hpp"
#include "rc3/visual/backbone/linear_patches.hpp"
#include "rc3/visual/backbone/siglip_vision.hpp"
#include "rc3/visual/backbone/vit.hpp"
#include "rc3/visual/both.hpp"
#include "rc3/visual/concept.hpp"
#include "rc3/visual/patch.hpp"
#include "rc3/visual/roi.hpp"
#include "rc3/visual/roi_from_backbone.hpp"
#include "rc3/visual/roi_from_crops.hpp"
#include "rc3/visual/summary.hpp"
