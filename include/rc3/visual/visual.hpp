#pragma once
/// Everything about pictures: the concepts, the policies and their backbones.

#include "rc3/visual/backbone/clip_vision.hpp"
#include "rc3/visual/backbone/efficientnet_lite.hpp"
#include "rc3/visual/backbone/joined.hpp"
#include "rc3/visual/backbone/linear_patches.hpp"
#include "rc3/visual/backbone/siglip_vision.hpp"
#include "rc3/visual/backbone/vit.hpp"
#include "rc3/visual/both.hpp"
#include "rc3/visual/concept.hpp"
#include "rc3/visual/fit.hpp"
#include "rc3/visual/patch.hpp"
#include "rc3/visual/preprocess.hpp"
#include "rc3/visual/preprocess_options.hpp"
#include "rc3/visual/roi.hpp"
#include "rc3/visual/roi_from_backbone.hpp"
#include "rc3/visual/roi_from_crops.hpp"
#include "rc3/visual/summary.hpp"
